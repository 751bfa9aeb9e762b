"""Other stacks on this machine: they share the cores, so runs made beside them say so."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def count(runtime: Path | None) -> int:
    """How many other live owners have a runtime directory beside this one."""
    if runtime is None:
        return 0
    found = 0
    for marker in runtime.parent.glob("wb-*/.workbook-runtime"):
        if marker.parent == runtime:
            continue
        try:
            owner = int(marker.read_text() or 0)
        except (OSError, ValueError):
            continue
        found += owner != os.getpid() and psutil.pid_exists(owner)
    return found
