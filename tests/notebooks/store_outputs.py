"""Run every notebook anew and store its outputs, in a form that changes only when the results do.

    python tests/notebooks/store_outputs.py [NOTEBOOK ...]

Exit code 1 when a cell raises; that notebook is left as it was.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CELL_TIMEOUT_S = 120
NOISE = ("execution", "collapsed", "scrolled", "ExecuteTime")
"""Cell metadata that differs from run to run or from editor to editor."""
LIVE = "application/vnd.jupyter.widget-view+json"
"""The output form that names a widget of a kernel that is gone; the picture and the text beside it stay."""


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take out what says something about the run's moment or machine and nothing about the lesson.

    Without widget state and widget views a viewer that has no kernel shows the stored picture, not a broken widget.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for key in NOISE:
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            if len(output.get("data", {})) > 1:
                output.data.pop(LIVE, None)
    return notebook


def execute(path: Path) -> nbformat.NotebookNode:
    """Run one notebook in its own folder, telling on standard error which cell is at work.

    Raises:
        CellExecutionError: a cell raised.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]

    def progress(cell_index: int, **_: object) -> None:
        if cell_index in code:
            print(
                f"\r{path.name}: cell {code.index(cell_index) + 1} of {len(code)} ", end="", file=sys.stderr, flush=True
            )

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_execute=progress,
    )
    return client.execute()


def main(arguments: list[str]) -> int:
    """Store the outputs of the notebooks named, or of all."""
    paths = [Path(argument).resolve() for argument in arguments] or sorted(NOTEBOOKS.glob("*.ipynb"))
    failed = 0
    for path in paths:
        began = time.monotonic()
        try:
            notebook = normalise(execute(path))
        except CellExecutionError as error:
            print(f"\n{path.name}: not stored, a cell failed\n{error}", file=sys.stderr)
            failed += 1
            continue
        nbformat.validate(notebook)
        nbformat.write(notebook, path)
        print(f"\r{path.name}: stored, {time.monotonic() - began:.1f} s{' ' * 20}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
