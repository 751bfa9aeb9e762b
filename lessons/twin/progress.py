"""How far something is that takes a while; whoever shows it decides how."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Called with how many are done, and of how many; first with none."""

STEPS, FEW = 4, 10
"""How often a wait is told, and how many functions are compiled in a moment that needs no word."""


def say_compiling(done: int, of: int) -> None:
    """Tell on standard error, a few times, that the twin is being compiled."""
    if of < FEW:
        return
    if done == 0 or done * STEPS // of > (done - 1) * STEPS // of:
        text = "The twin is being compiled, once for this machine; later it starts at once"
        print(f"{text}: {done} of {of} functions.", file=sys.stderr, flush=True)
