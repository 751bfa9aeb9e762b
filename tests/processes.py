"""Finding what a stack has left behind: processes and files, looked up in the system, not asked of the stack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from tests.patience import patience

MARK = "WORKBOOK_TEST_MARK"

T = TypeVar("T")


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that inherited this mark through their environment."""
    return [one for one in psutil.process_iter() if asked(one.environ, {}).get(MARK) == mark and alive(one)]


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not."""
    return process.is_running() and asked(process.status, psutil.STATUS_ZOMBIE) != psutil.STATUS_ZOMBIE


def children() -> list[psutil.Process]:
    """Living processes that this one has started, and theirs.

    Less the resource tracker, which Python keeps until its own end once a pool of processes was used.
    """
    return [child for child in psutil.Process().children(recursive=True) if alive(child) and not _tracks(child)]


def _tracks(process: psutil.Process) -> bool:
    return "resource_tracker" in " ".join(command(process))


def asked(what: Callable[[], T], otherwise: T) -> T:
    """What a process says of itself; something else where it has gone meanwhile, or is a zombie."""
    try:
        return what()
    except psutil.Error:
        return otherwise


def command(process: psutil.Process) -> list[str]:
    """Its command line; empty when it has gone."""
    return asked(process.cmdline, [])


def children_of(pid: int) -> list[psutil.Process]:
    """The processes that a process has started; none where it has gone."""
    return asked(lambda: psutil.Process(pid).children(), [])


def running(module: str) -> list[psutil.Process]:
    """Living processes that this one has started to run a module; what they have forked is none."""
    return [child for child in psutil.Process().children() if module in command(child) and alive(child)]


def runtime_directories(base: Path) -> list[Path]:
    """Runtime directories of stacks below a temporary directory."""
    return sorted(base.glob("wb-*"))


def wait_until(condition: Callable[[], bool], deadline_s: float, what: str) -> float:
    """Wait for a condition, with patience on the CI's machine; returns the seconds it took.

    Raises:
        AssertionError: it did not come true in time.
    """
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < patience(deadline_s), f"not within {deadline_s} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - start


def marked_environment(mark: str, temporary: Path) -> dict[str, str]:
    """An environment that marks a process and all it starts, with temporary and state directories of its own."""
    places = {name: str(temporary) for name in ("TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **places, MARK: mark, "XDG_RUNTIME_DIR": ""}
