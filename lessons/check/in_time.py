"""Stops a reader's function that does not come back."""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from demo_workers.errors import LabError

MOST_S = 10.0
"""A reader's function that has not come back by then never will."""
STOPPING_S, AGAIN_S = 2.0, 0.1

T = TypeVar("T")


class Stopped(BaseException):
    """Raised in the middle of the reader's function that has not come back."""


async def call_in_time(call: Callable[[], T], *, wake: Callable[[], object] = lambda: None) -> T:
    """Call a function in a thread of its own, and return what it returns.

    It is stopped after ``MOST_S`` seconds, or when the caller is cancelled.

    Args:
        call: runs the reader's function.
        wake: ends its wait for something outside of Python, where no exception reaches it.

    Raises:
        LabError: it has not come back in time.
    """
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    thread = Thread(target=work, name="reader's function", daemon=True)
    thread.start()
    waiting = asyncio.wrap_future(answer)
    try:
        done, _ = await asyncio.wait({waiting}, timeout=MOST_S)
    finally:
        if waiting.cancel():  # it has not come back: nobody will ask for its answer
            _stop(thread, answer, wake)
    if not done:
        raise LabError(
            f"seconds that your function has taken = {MOST_S:g}: must return sooner. Does it wait for something that "
            "never comes, as brpop without a timeout does on an empty list, or turn in a circle?"
        )
    return waiting.result()


def _stop(thread: Thread, answer: Future[T], wake: Callable[[], object]) -> None:
    end = time.monotonic() + STOPPING_S
    while not answer.done() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
        wake()
        thread.join(AGAIN_S)
