"""How long a test has patience with what is promised within so many seconds."""

from __future__ import annotations

import os

SPARE_S = 10.0 if os.environ.get("CI") == "true" else 0.0
"""The CI's machine is slow and does other things too; no promise is made for it."""


def patience(promise_s: float) -> float:
    """The promise itself on a reader's machine, and ten seconds more on the CI's."""
    return promise_s + SPARE_S
