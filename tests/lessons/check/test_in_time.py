"""A reader's function that hangs is stopped."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from demo_workers.errors import LabError
from lessons.check import in_time
from lessons.check.in_time import call_in_time


async def test_an_endless_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that catches all errors, and the loop goes on meanwhile; what comes back in time is the answer."""
    monkeypatch.setattr(in_time, "MOST_S", 0.2)
    turns = 0

    def endless() -> None:
        nonlocal turns
        while True:
            with suppress(Exception):
                turns += 1

    with pytest.raises(LabError, match=r"seconds that your function has taken = 0\.2"):
        await call_in_time(endless)
    assert turns
    assert not working()
    assert await call_in_time(lambda: "done") == "done"
    with pytest.raises(ZeroDivisionError):
        await call_in_time(lambda: 1 / 0)


async def test_stop_reaches_it() -> None:
    """A cell that is interrupted leaves no function at work."""
    begun = threading.Event()

    def endless() -> None:
        while True:
            begun.set()

    calling = asyncio.create_task(call_in_time(endless))
    await asyncio.to_thread(begun.wait)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert not working()


def working() -> list[threading.Thread]:
    """Threads of readers' functions."""
    return [thread for thread in threading.enumerate() if thread.name == "reader's function"]
