"""How far something is that takes a while; whoever shows it decides how."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Called with how many are done, and of how many; first with none."""

STEPS = 4


def say_compiling(done: int, of: int) -> None:
    """Tell on standard error, a few times, that the twin is being compiled."""
    if done == 0 or done * STEPS // of > (done - 1) * STEPS // of:
        text = "The twin is being compiled, once for this machine; later it starts at once"
        print(f"{text}: {done} of {of} functions.", file=sys.stderr, flush=True)
