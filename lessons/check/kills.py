"""Kills that are simulated, for exercises: a reader's function is left wherever it is, and called again.

So does a consumer fare that is killed and started again, or a job that RQ tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Killed(BaseException):
    """Raised in the middle of the reader's function. Nobody catches a SIGKILL, so this is no ``Exception``."""


def call_until_done(call: Callable[[], T]) -> T:
    """Call a function, again after each kill, and return what it returns in the end."""
    while True:
        try:
            return call()
        except Killed:
            continue
