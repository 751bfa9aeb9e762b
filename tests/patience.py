"""How much patience a test has with what is promised within so many seconds, or so often."""

from __future__ import annotations

import os

CI = os.environ.get("CI") == "true"
"""The CI's machine is slow and does other things too; no promise is made for it."""
SPARE_S, SHARE = (10.0, 0.5) if CI else (0.0, 1.0)


def patience(promise_s: float) -> float:
    """The promise itself on a reader's machine, and ten seconds more on the CI's."""
    return promise_s + SPARE_S


def rate(promise: float) -> float:
    """The promised times per second on a reader's machine, and half of them on the CI's."""
    return promise * SHARE
