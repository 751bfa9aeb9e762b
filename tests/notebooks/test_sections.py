"""A class can start anywhere: set-up and one section alone run, and say what they say in the whole notebook."""

from __future__ import annotations

import uuid
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.test_notebooks import GONE_S, nbval, still_alive

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STANDALONE = (
    "01_message_queues",
    "02_task_queues",
    "03_back_pressure",
    "04_retries_and_backoff",
    "05_trade_offs",
    "06_numbers_game",
)
"""Notebooks whose sections promise it."""

pytestmark = [pytest.mark.notebooks, pytest.mark.slow]


def sections(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """Heading → the cells up to the next one; only those with a check, which are the ones that teach something."""
    found: dict[str, list[nbformat.NotebookNode]] = {}
    cells: list[nbformat.NotebookNode] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            cells = found.setdefault(cell.source.splitlines()[0].removeprefix("## "), [])
        cells.append(cell)
    return {name: cells for name, cells in found.items() if any(".check_" in cell.source for cell in cells)}


def alone(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The set-up cells and one section; what was started is closed by the last cell."""
    setup = [cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", [])]
    part = nbformat.v4.new_notebook(metadata=notebook.metadata)
    part.cells = [*setup, *sections(notebook)[name], notebook.cells[-1]]
    return part


def all_sections() -> list[tuple[str, str]]:
    """Each notebook with each of its sections."""
    found = []
    for stem in STANDALONE:
        notebook = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
        found += [(stem, name) for name in sections(notebook)]
    return found


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("stem", "name"), all_sections(), ids=lambda text: text.split(" · ")[0])
def test_a_section_runs_alone(stem: str, name: str, tmp_path: Path) -> None:
    """Its outputs are those that are stored, and no process is left."""
    notebook = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    path, mark = tmp_path / "alone.ipynb", uuid.uuid4().hex
    nbformat.write(alone(notebook, name), path)
    result = nbval(path, mark)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert still_alive(mark, GONE_S) == []


def test_sections_are_found() -> None:
    """By their headings; a heading without a check is no section that teaches."""
    cells = [
        nbformat.v4.new_markdown_cell("## a · First\n\nwords"),
        nbformat.v4.new_code_cell("lesson.check_it()"),
        nbformat.v4.new_markdown_cell("## Summary"),
        nbformat.v4.new_markdown_cell("words"),
    ]
    found = sections(nbformat.v4.new_notebook(cells=cells))
    assert list(found) == ["a · First"]
    assert found["a · First"] == cells[:2]
