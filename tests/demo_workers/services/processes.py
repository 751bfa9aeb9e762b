"""Looking at processes and waiting for conditions, with a deadline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.patience import patience
from tests.processes import asked

ROOT = Path(__file__).parents[3]
OWNER = "tests.demo_workers.services.children.example_owner"


def until(condition: Callable[[], object], within_s: float) -> bool:
    """Whether the condition became true in time, with patience on the CI's machine."""
    return _within(condition, patience(within_s))


def ever(condition: Callable[[], object], within_s: float) -> bool:
    """Whether the condition became true in so short a time, where it must not."""
    return _within(condition, within_s)


def _within(condition: Callable[[], object], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    return asked(lambda: psutil.Process(pid).status() != psutil.STATUS_ZOMBIE, otherwise=False)


def environment() -> dict[str, str]:
    """Ours, with the project importable from any directory and no server of somebody else."""
    return {k: v for k, v in os.environ.items() if k != "WORKBOOK_REDIS_URL"} | {"PYTHONPATH": str(ROOT)}


@contextmanager
def owner(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """An owner that has started its parts, with what it told of them; killed at the end."""
    command = [sys.executable, "-m", OWNER, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()
