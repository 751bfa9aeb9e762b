"""Finding what a stack has left behind: processes and files, looked up in the system, not asked of the stack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

MARK = "WORKBOOK_TEST_MARK"


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that inherited this mark through their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def children() -> list[psutil.Process]:
    """Living processes that this one has started, and theirs.

    Less the resource tracker, which Python keeps until its own end once a pool of processes was used.
    """
    return [child for child in psutil.Process().children(recursive=True) if alive(child) and not _tracks(child)]


def _tracks(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def runtime_directories(base: Path) -> list[Path]:
    """Runtime directories of stacks below a temporary directory."""
    return sorted(base.glob("wb-*"))


def wait_until(condition: Callable[[], bool], deadline_s: float, what: str) -> float:
    """Wait for a condition; returns the seconds it took.

    Raises:
        AssertionError: it did not come true in time.
    """
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < deadline_s, f"not within {deadline_s} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - start


def marked_environment(mark: str, temporary: Path) -> dict[str, str]:
    """An environment that marks a process and all it starts, with temporary and state directories of its own."""
    places = {name: str(temporary) for name in ("TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **places, MARK: mark, "XDG_RUNTIME_DIR": ""}
