"""``workbook lab``: JupyterLab on the first notebook."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from demo_workers.errors import ScenarioError

FIRST = "00_start_here.ipynb"


def lab(arguments: argparse.Namespace) -> int:
    """Replace this process by JupyterLab, on loopback only, opened at the first notebook."""
    found = [path for path in (Path.cwd(), Path(__file__).parents[2]) if (path / "notebooks" / FIRST).exists()]
    if not found:
        remedy = "Run it in the folder of the workbook."
        raise ScenarioError("notebooks", str(Path.cwd()), f"a folder that holds notebooks/{FIRST}", remedy)
    os.chdir(found[0])
    options = ["--ServerApp.ip=127.0.0.1", f"--LabApp.default_url=/lab/tree/notebooks/{FIRST}"]
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options, *arguments.rest])
