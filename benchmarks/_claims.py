"""What a notebook says of an experiment, as one yes or no per round."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TypeVar

from benchmarks._bar import say
from lessons.check.claims import ClaimError

T = TypeVar("T")


def holds(check: Callable[[T], None], seen: T) -> bool:
    """Whether everything is so that the notebook says; what is not is told on standard error."""
    try:
        with redirect_stdout(sys.stderr):  # standard output is for figures
            check(seen)
    except ClaimError as error:
        say(f"  {error}")
        return False
    return True
