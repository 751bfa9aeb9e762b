"""The panel under a real kernel, executed as nbval and the stored notebooks are."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[3]
SETUP = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from demo_workers.errors import GatewayUnavailable
from lessons.show import figures
from lessons.show.panel import Panel
from tests.lessons.show.event_source import ModelStack
from tests.lessons.show.scenes import SHORT, LIMITED
stack = ModelStack()
"""


def execute(*cells: str) -> nbformat.NotebookNode:
    """Run cells in a new kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (SETUP, *cells)])
    NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=False).execute()
    return notebook


@pytest.mark.notebooks
def test_a_saved_notebook_shows_the_last_picture_without_a_kernel() -> None:
    """One output with widget, PNG and constant words; the awaiting cell replaces its picture; no widget state."""
    notebook = execute(
        "panel = Panel('p', stack, SHORT, question='What happens?')\npanel.show()",
        "before = None",
        "run = await panel.run()",
        "figures.compare(run, run)",
        "from lessons.show.panel import Panel as P\nP('q', stack, SHORT, question='What happens?').show()",
    )
    shown, again = notebook.cells[1].outputs, notebook.cells[5].outputs
    assert len(shown) == 1
    assert shown[0].data["text/plain"] == "Live panel: What happens?"
    assert "application/vnd.jupyter.widget-view+json" in shown[0].data
    assert base64.b64decode(shown[0].data["image/png"]).startswith(b"\x89PNG")
    assert shown[0].data["image/png"] != again[0].data["image/png"]  # the empty one
    assert notebook.cells[3].outputs == []
    assert notebook.cells[4].outputs[0].data["text/plain"] == "Picture"
    assert "widgets" not in notebook.metadata


@pytest.mark.notebooks
def test_a_failing_load_fails_its_cell() -> None:
    """An error of the background task does not pass unseen: awaiting it raises it in the notebook."""
    with pytest.raises(CellExecutionError, match="the gateway has died"):
        execute(
            "stack.fails = GatewayUnavailable('the gateway has died')\npanel = Panel('p', stack, SHORT)\npanel.show()",
            "panel.start()",
            "import asyncio\nawait asyncio.sleep(1)\nawait panel.stop()\nawait panel.finished()",
        )
