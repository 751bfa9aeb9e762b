"""``workbook export``: a recorded run as files for other tools."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from demo_workers.records.export import FORMATS, format_named
from demo_workers.records.export import export as write
from lessons.cli.options import make_directory
from lessons.cli.recorded import load

__all__ = ["FORMATS", "OUT", "export"]

OUT = Path("out", "export")


def export(arguments: argparse.Namespace) -> int:
    """Write the tables of a run, its scenario and a manifest; say where they are."""
    form = format_named(arguments.format)
    run = load(arguments.run)
    assert run.directory is not None
    out = arguments.out or OUT / run.directory.resolve().name
    make_directory(out, empty=True)
    files = write(run, out, form)
    if arguments.json:
        print(msgspec.json.encode({"run": str(run.directory), "files": [str(file) for file in files]}).decode())
    else:
        print("\n".join(map(str, files)))
    return 0
