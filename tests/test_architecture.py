"""The shape of the source: imports go one way, packages say what they are, files and functions stay small."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LARGEST_FILE = 400
LONGEST_FUNCTION = 60

PURE = tuple(
    f"demo_workers.{part}" for part in ("policies", "fields", "scenario", "tape", "closed_tape", "variates", "errors")
)
PARTS = tuple(f"demo_workers.{part}" for part in ("services", "queueing", "brokers", "records", "stack"))
CHAPTERS = tuple(
    f"lessons.{chapter}"
    for chapter in (
        "start_here",
        "message_queues",
        "task_queues",
        "back_pressure",
        "retries",
        "trade_offs",
        "numbers_game",
        "capstone",
    )
)
INPUT_OUTPUT = (
    *(
        "aiohttp",
        "asyncio",
        "http",
        "httptools",
        "httpx",
        "io",
        "multiprocessing",
        "os",
        "pathlib",
        "redis",
        "requests",
    ),
    *("rq", "select", "shutil", "socket", "subprocess", "tempfile", "threading", "urllib", "uvicorn", "uvloop"),
)
WIDGETS = ("IPython", "anywidget", "ipywidgets", "lessons.show", "matplotlib.pyplot")


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """Modules under ``sources`` (but not ``unless``) import nothing under ``forbidden``."""

    sources: tuple[str, ...]
    forbidden: tuple[str, ...]
    why: str
    unless: tuple[str, ...] = ()


ARROWS = (
    Arrow(
        sources=("demo_workers",),
        forbidden=("lessons", "notebooks", "tests", "benchmarks"),
        why="the system under study is usable without the lessons",
    ),
    Arrow(
        sources=("lessons",),
        forbidden=("notebooks", "tests", "benchmarks"),
        why="the lessons stand on demo_workers alone",
    ),
    Arrow(
        sources=("notebooks",),
        forbidden=("tests", "benchmarks", "lessons.cli"),
        why="a notebook is opened where only the product is installed",
    ),
    Arrow(
        sources=PURE,
        forbidden=PARTS,
        why="policies, scenario, tape and errors are what everything else stands on",
    ),
    Arrow(sources=PURE, forbidden=INPUT_OUTPUT, why="policies, scenario, tape and errors do no input or output"),
    Arrow(
        sources=("demo_workers",),
        unless=("demo_workers.stack", "demo_workers.__init__"),
        forbidden=("demo_workers.stack",),
        why="only the stack knows all the parts, and no part knows the stack",
    ),
    Arrow(
        sources=("lessons.theory", "lessons.twin", "lessons.sweeps", "lessons.contention"),
        forbidden=WIDGETS,
        why="theory and twin know no widgets",
    ),
    Arrow(
        sources=("demo_workers", "lessons"),
        unless=("lessons.cli",),
        forbidden=("lessons.cli",),
        why="the command line stands on top: nobody imports it",
    ),
    Arrow(
        sources=(
            "lessons.theory",
            "lessons.twin",
            "lessons.sweeps",
            "lessons.contention",
            "lessons.show",
            "lessons.check",
        ),
        forbidden=CHAPTERS,
        why="the chapters' facades stand on top of what they use",
    ),
)


def under(module: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the prefixes or inside one."""
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Every Python module of the product and every notebook, with its dotted name; a package's is ``name.__init__``."""
    for package in ("demo_workers", "lessons"):
        for path in sorted((root / package).rglob("*.py")):
            yield ".".join(path.relative_to(root).with_suffix("").parts), path
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        yield f"notebooks.{path.stem}", path


def source(path: Path) -> str:
    """The Python of a file; of a notebook, that of its code cells without the lines that are not Python."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines()]
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def imports(module: str, text: str) -> set[str]:
    """All names that a module imports, also inside functions and for types only; relative ones made absolute."""
    found: set[str] = set()
    for node in ast.walk(compile(text, module, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    return found


def wrong_arrows(root: Path) -> list[str]:
    """One line for each import that goes the wrong way."""
    wrong = []
    for module, path in modules(root):
        names = imports(module, source(path))
        for arrow in ARROWS:
            if under(module, arrow.sources) and not under(module, arrow.unless):
                bad = sorted(name for name in names if under(name, arrow.forbidden))
                wrong += [f"{module} imports {name}: {arrow.why}" for name in bad]
    return wrong


def know_it_alls(root: Path) -> list[str]:
    """Modules outside the stack that reach queueing, services, records, tape and policies all at once."""
    everything = {"demo_workers." + part for part in ("policies", "queueing", "records", "services", "tape")}
    found = []
    for module, path in modules(root):
        if under(module, ("demo_workers",)) and not under(module, ("demo_workers.stack",)):
            known = {part for part in everything for name in imports(module, source(path)) if under(name, (part,))}
            if known == everything:
                found.append(f"{module} knows all the parts; that is the stack's place")
    return found


def file_writers(root: Path) -> list[str]:
    """Calls by which the pure modules would read a file or print."""
    found = []
    verbs = {"open", "print", "input", "read_text", "write_text", "read_bytes", "write_bytes"}
    for module, path in modules(root):
        if under(module, PURE):
            calls = [node for node in ast.walk(ast.parse(source(path))) if isinstance(node, ast.Call)]
            names = [(call.lineno, getattr(call.func, "id", getattr(call.func, "attr", ""))) for call in calls]
            found += [f"{module}:{line} calls {name}()" for line, name in names if name in verbs]
    return found


def packages_without_docstring(root: Path) -> list[str]:
    """Packages whose ``__init__.py`` is missing or does not say what the package is."""
    bad = []
    for top in ("demo_workers", "lessons"):
        folders = {path.parent for path in (root / top).rglob("*.py")}
        for folder in sorted(folders):
            init = folder / "__init__.py"
            if not init.exists() or not ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))):
                bad.append(f"{folder.relative_to(root)}: no docstring in __init__.py")
    return bad


def too_large(root: Path) -> list[str]:
    """Files over 400 lines and functions over 60, in the product, its tests and its benchmarks."""
    found = []
    for top in ("demo_workers", "lessons", "benchmarks", "tests"):
        for path in sorted((root / top).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if (lines := len(text.splitlines())) > LARGEST_FILE:
                found.append(f"{path.relative_to(root)}: {lines} lines; which two ideas are in it?")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno + 1
                    if length > LONGEST_FUNCTION:
                        found.append(f"{path.relative_to(root)}:{node.lineno} {node.name}: {length} lines")
    return found


def tree(root: Path, files: dict[str, str]) -> Path:
    """A small project in which each package has its docstring."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in [path.parent, *path.parent.parents]:
            if folder == root:
                break
            (folder / "__init__.py").write_text('"""A package."""\n')
        path.write_text(text)
    return root


def test_imports_go_one_way() -> None:
    """No module of the project imports against the direction notebooks, lessons, demo_workers."""
    assert wrong_arrows(ROOT) == []


def test_only_the_stack_knows_all_parts() -> None:
    """No other module reaches queueing, services, records, tape and policies at once."""
    assert know_it_alls(ROOT) == []


def test_pure_modules_touch_no_files() -> None:
    """Policies, scenario, tape and errors neither open files nor print."""
    assert file_writers(ROOT) == []


def test_every_package_says_what_it_is() -> None:
    """Each folder with Python in it is a package with a docstring."""
    assert packages_without_docstring(ROOT) == []


def test_files_and_functions_stay_small() -> None:
    """No file has more than 400 lines and no function more than 60."""
    assert too_large(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("demo_workers/records/run.py", "import lessons.show"),
        ("demo_workers/tape.py", "def f():\n    from lessons import check"),
        ("lessons/show/panel.py", "from tests import helpers"),
        ("demo_workers/policies/backoff.py", "from ..queueing import jobs"),
        ("demo_workers/policies/backoff.py", "import asyncio"),
        ("demo_workers/scenario.py", "from pathlib import Path"),
        ("demo_workers/errors.py", "from demo_workers.services import gateway"),
        ("demo_workers/services/gateway.py", "from ..stack import Stack"),
        ("demo_workers/services/gateway/app.py", "from demo_workers import stack"),
        ("demo_workers/queueing/jobs.py", "import demo_workers.stack.stack"),
        ("demo_workers/brokers/redis_list.py", "from .. import stack"),
        ("lessons/theory/little.py", "import matplotlib.pyplot as plt"),
        ("lessons/theory/little.py", "from matplotlib import pyplot"),
        ("lessons/twin/engine.py", "from lessons.show import panel"),
        ("lessons/twin/engine.py", "import ipywidgets as widgets"),
        ("lessons/back_pressure.py", "from lessons.cli import main"),
        ("lessons/show/panel.py", "from lessons import back_pressure"),
    ],
)
def test_an_arrow_the_wrong_way_is_found(tmp_path: Path, file: str, text: str) -> None:
    """Each kind of forbidden import is told once, with its reason."""
    assert len(wrong_arrows(tree(tmp_path, {file: text}))) == 1


def test_a_notebook_that_imports_the_tests_is_found(tmp_path: Path) -> None:
    """A notebook is walked like a module; its magics and top-level awaits do not stop the walk."""
    cell = {"cell_type": "code", "source": ["%time 1\n", "from tests import helpers\n", "await helpers.go()"]}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00.ipynb").write_text(json.dumps({"cells": [cell]}))
    (line,) = wrong_arrows(tmp_path)
    assert line.startswith("notebooks.00 imports tests.helpers")


def test_arrows_the_right_way_are_allowed(tmp_path: Path) -> None:
    """The stack may import every part, a part the pure modules, and the command line everything."""
    parts = "from demo_workers import policies, queueing, records, services, tape"
    files = {
        "demo_workers/stack.py": parts,
        "demo_workers/services/gateway.py": "from demo_workers.policies import backoff\nimport asyncio",
        "lessons/cli/run.py": "from demo_workers.stack import Stack\nfrom lessons.cli.options import scenario",
        "lessons/theory/little.py": "import numpy",
        "lessons/back_pressure.py": "from lessons.show import panel",
    }
    project = tree(tmp_path, files)
    assert wrong_arrows(project) == know_it_alls(project) == file_writers(project) == []


def test_a_second_stack_is_found(tmp_path: Path) -> None:
    """A module beside the stack that imports all parts is told."""
    parts = "from demo_workers import policies, queueing, records, services, tape"
    assert len(know_it_alls(tree(tmp_path, {"demo_workers/services/manager.py": parts}))) == 1


def test_a_policy_that_reads_a_file_is_found(tmp_path: Path) -> None:
    """A call of open() in a pure module is told with its line."""
    assert file_writers(tree(tmp_path, {"demo_workers/policies/budget.py": "\nopen('x')"})) == [
        "demo_workers.policies.budget:2 calls open()"
    ]


def test_a_package_without_docstring_is_found(tmp_path: Path) -> None:
    """A missing __init__.py and a silent one are both told."""
    project = tree(tmp_path, {"demo_workers/records/run.py": "", "lessons/show/panel.py": ""})
    (project / "demo_workers/records/__init__.py").unlink()
    (project / "lessons/show/__init__.py").write_text("")
    assert len(packages_without_docstring(project)) == 2


def test_a_long_file_and_a_long_function_are_found(tmp_path: Path) -> None:
    """401 lines are one too many, and so are 61 in a function."""
    exactly = "def f():\n" + "    x = 1\n" * (LONGEST_FUNCTION - 1)
    files = {
        "lessons/check/a.py": "\n" * (LARGEST_FILE + 1),
        "lessons/check/b.py": exactly + "    x = 1\n",
        "lessons/check/c.py": exactly,
        "lessons/check/d.py": "\n" * LARGEST_FILE,
    }
    assert [line.split(":")[0] for line in too_large(tree(tmp_path, files))] == [
        "lessons/check/a.py",
        "lessons/check/b.py",
    ]
