"""A simulated kill leaves a function wherever it is, and the function is called again; one that hangs is stopped."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from demo_workers.errors import LabError
from lessons.check import kills
from lessons.check.kills import Killed, call_in_time, call_until_done


def test_a_killed_function_is_called_again_until_it_is_done() -> None:
    """A handler for ordinary errors does not hear of its death, as it would not of a SIGKILL."""
    calls: list[str] = []

    def play() -> str:
        calls.append("begun")
        try:
            if len(calls) < 3:
                raise Killed
        except Exception:
            calls.append("caught")
        return f"done in call {len(calls)}"

    assert call_until_done(play) == "done in call 3"


def test_a_mistake_is_no_kill() -> None:
    """It comes out as it is, at once."""

    def mistaken() -> None:
        raise ValueError("a typing error")

    with pytest.raises(ValueError, match="a typing error"):
        call_until_done(mistaken)


async def test_an_endless_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that catches all errors, and the loop goes on meanwhile; what comes back in time is the answer."""
    monkeypatch.setattr(kills, "MOST_S", 0.2)
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
