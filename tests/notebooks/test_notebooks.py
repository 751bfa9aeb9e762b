"""The notebooks as they are stored, and as they run."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from tests.notebooks.store_outputs import LIVE, normalise
from tests.patience import Pace, patience
from tests.processes import MARK, command
from tests.processes import marked as living

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 17
MOST_WORDS = 135
RUN_ALL_S = 30.0
GONE_S = 2.0
CHECKS = re.compile(r"^\s*(assert\b|(await\s+)?[\w.]*\bcheck\w*\()|\.check\(", re.MULTILINE)
IGNORES = ("nbval-ignore-output", "nbval-skip", "NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP")

pytestmark = pytest.mark.notebooks
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cell_faults(cell: nbformat.NotebookNode) -> list[str]:
    """What is wrong with one stored cell."""
    lines, words = len(cell.source.splitlines()), len(cell.source.split())
    if cell.cell_type == "markdown":
        return [f"a text cell of {words} words"] if words > MOST_WORDS else []
    if cell.cell_type != "code":
        return []
    ignored = any(mark in cell.metadata.get("tags", []) or mark in cell.source for mark in IGNORES)
    return [
        fault
        for fault, found in (
            (f"a code cell of {lines} lines", lines > MOST_LINES),
            ("a stored error", any(output.output_type == "error" for output in cell.outputs)),
            ("a cell that was never run", cell.execution_count is None and bool(cell.source.strip())),
            ("a check that nbval is told to ignore", ignored and bool(CHECKS.search(cell.source))),
            ("execution times", "execution" in cell.metadata),
        )
        if found
    ]


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with a stored notebook, one line each."""
    found = [f"{fault}: {cell.source[:40]!r}" for cell in notebook.cells for fault in cell_faults(cell)]
    if "widgets" in notebook.metadata:
        found.append("metadata.widgets: viewers without a kernel would show broken widgets instead of the picture")
    if not any(cell.get("outputs") for cell in notebook.cells):
        found.append("no stored outputs: nothing to see without a kernel, nothing to compare")
    return found


def marked(mark: str) -> list[str]:
    """The command lines of all living processes that carry the mark in their environment."""
    return [f"{process.pid} {' '.join(command(process))[:120]}" for process in living(mark)]


def still_alive(mark: str, deadline_s: float) -> list[str]:
    """The marked processes that are left when patience is over; empty as soon as there are none."""
    end = time.monotonic() + patience(deadline_s)
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def orphans() -> set[int]:
    """Process ids of our own parts, and of servers like ours, that have lost their parent.

    A child that was given an environment of its own carries no mark; it would show up here.
    """
    names = re.compile(r"demo_workers\.|redis-server|valkey")
    found = set()
    for process in psutil.process_iter(["pid", "ppid", "cmdline", "status"]):
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and process.info["ppid"] == 1 and names.search(" ".join(process.info["cmdline"] or [])):
            found.add(process.info["pid"])
    return found


def nbval(path: Path, mark: str) -> subprocess.CompletedProcess[str]:
    """Run a notebook and compare every output with the stored one, as ``pytest --nbval`` does for a reader."""
    base = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=60"]
    options = ["-q", "-p", "nbval.plugin", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(path.parent)]
    # the other plugins have nothing to do here, and take seconds to import
    environment = {**os.environ, MARK: mark, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [*base, *options, str(path)],
        cwd=path.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
    )


def core(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The core path: set-up cells (no tier) and those tagged ``core``; what is tagged ``further`` is left out."""
    path = copy.deepcopy(notebook)
    path.cells = [cell for cell in path.cells if "further" not in cell.metadata.get("tags", [])]
    return path


def code(notebook: nbformat.NotebookNode) -> list[str]:
    """What runs in it."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_first_notebook() -> None:
    """`make lab` opens 00_start_here, so it has to be there."""
    assert "00_start_here" in [path.stem for path in NOTEBOOKS]


@each_notebook
def test_a_notebook_is_stored_well(path: Path) -> None:
    """Outputs are there, nothing failed, cells are short, checks are compared, and no widget state is kept."""
    assert faults(nbformat.read(path, as_version=4)) == []


@each_notebook
@pytest.mark.timeout(180)
def test_a_notebook_runs_and_says_the_same_again(path: Path) -> None:
    """Every output is as stored, Run All takes under 30 s of a quiet machine, and no process is left afterwards."""
    mark, before, began = uuid.uuid4().hex, orphans(), time.monotonic()
    with Pace() as pace:
        result = nbval(path, mark)
    took_s = time.monotonic() - began
    print(f"Run All: {took_s:.1f} s where work takes {pace.slowness:.1f} times as long as on a quiet machine")
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert still_alive(mark, GONE_S) == []
    assert orphans() - before == set()
    assert took_s < RUN_ALL_S * pace.slowness


@each_notebook
@pytest.mark.timeout(180)
def test_the_core_path_runs_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cells tagged ``further`` nothing is missing, and no process is left afterwards."""
    notebook = nbformat.read(path, as_version=4)
    alone = core(notebook)
    if code(alone) == code(notebook):
        return  # all that runs is core: the test above has run it
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    NotebookClient(
        alone, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    monkeypatch.delenv(MARK)
    assert still_alive(mark, GONE_S) == []


def stored(source: str, *, tags: tuple[str, ...] = (), text: str = "✓") -> nbformat.NotebookNode:
    """A notebook of one executed code cell."""
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output], metadata={"tags": list(tags)})
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("source", "tags", "fault"),
    [
        ("x = 1\n" * 18, (), "a code cell of 18 lines"),
        ("ledger.check()", ("nbval-ignore-output",), "a check that nbval is told to ignore"),
        ("# NBVAL_IGNORE_OUTPUT\nassert x", (), "a check that nbval is told to ignore"),
        ("await check_burst(run)", ("nbval-skip",), "a check that nbval is told to ignore"),
    ],
)
def test_a_bad_code_cell_is_found(source: str, tags: tuple[str, ...], fault: str) -> None:
    """A cell that is too long, and a check that would not be compared, are told."""
    (line,) = faults(stored(source, tags=tags))
    assert line.startswith(fault)


def test_a_bad_notebook_is_found() -> None:
    """Widget state, missing outputs, a stored error, an unrun cell and a long text are each told."""
    notebook = nbformat.v4.new_notebook(metadata={"widgets": {}})
    error = nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    notebook.cells = [
        nbformat.v4.new_markdown_cell("word " * (MOST_WORDS + 1)),
        nbformat.v4.new_code_cell("1/0", execution_count=1, outputs=[error]),
        nbformat.v4.new_code_cell("x = 1"),
    ]
    assert [line.split(":")[0] for line in faults(notebook)] == [
        "a text cell of 136 words",
        "a stored error",
        "a cell that was never run",
        "metadata.widgets",
    ]
    notebook.cells = []
    assert "no stored outputs" in faults(notebook)[-1]


def test_a_good_notebook_has_no_faults() -> None:
    """A short check that is compared passes; so does an ignored cell that checks nothing."""
    assert faults(stored("x = 1\n" * 16 + "ledger.check()")) == []
    assert faults(stored("ledger.show()", tags=("nbval-ignore-output",))) == []


def test_storing_takes_out_what_is_not_the_lesson() -> None:
    """Widget state, execution times and the version of Python are not stored; the outputs are."""
    notebook = stored("print('✓')")
    notebook.metadata = nbformat.from_dict({"widgets": {"x": 1}, "language_info": {"name": "python", "version": "3"}})
    notebook.cells[0].metadata["execution"] = {"iopub.execute_input": "now"}
    clean = normalise(notebook)
    assert set(clean.metadata) == {"kernelspec", "language_info"}
    assert set(clean.metadata.language_info) == {"name"}
    assert set(clean.cells[0].metadata) == {"tags"}
    assert clean.cells[0].outputs[0].text == "✓"


def test_a_stored_widget_is_its_picture_and_its_text() -> None:
    """The view of a widget that is gone is not stored, so that storing twice gives the same file."""
    notebook = stored("slider")
    data = {LIVE: {"model_id": "random"}, "image/png": "…", "text/plain": "IntSlider(value=0)"}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data=data)]
    assert set(normalise(notebook).cells[0].outputs[0].data) == {"image/png", "text/plain"}


def test_nbval_fails_when_an_output_has_changed(tmp_path: Path) -> None:
    """The comparison is strict: a lesson that says something else than it did is a failure."""
    path = tmp_path / "changed.ipynb"
    nbformat.write(stored("print('now')", text="then\n"), path)
    assert nbval(path, uuid.uuid4().hex).returncode != 0
    nbformat.write(stored("print('now')", text="now\n"), path)
    assert nbval(path, uuid.uuid4().hex).returncode == 0


def test_a_process_left_behind_is_found(tmp_path: Path) -> None:
    """A process that outlives its notebook is seen, also when it has a session of its own."""
    mark = uuid.uuid4().hex
    path = tmp_path / "leaves.ipynb"
    source = "import subprocess\nchild = subprocess.Popen(['sleep', '60'], start_new_session=True)\nprint('ok')"
    nbformat.write(stored(source, text="ok\n"), path)
    assert nbval(path, mark).returncode == 0
    (left,) = marked(mark)
    psutil.Process(int(left.split()[0])).kill()
    assert still_alive(mark, GONE_S) == []
