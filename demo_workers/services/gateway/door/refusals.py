"""Refusing must be cheap: a "full" that the script has just said is remembered, and its answer is ready-made."""

from __future__ import annotations

import time
from typing import NamedTuple

from demo_workers.services.gateway.door.drain_rate import DrainRate
from demo_workers.services.gateway.web.problems import Answer, unavailable

FRESH_S = 0.005
"""How long a "full" is believed. Long enough to spare Redis a flood, too short for a client to notice."""


class Full(NamedTuple):
    """A refusal, what the script saw then, and when it was made (CLOCK_MONOTONIC seconds)."""

    answer: Answer
    depth: int
    limit: int
    made: float


class Refusals:
    """Says no, from the script's word or from memory.

    Args:
        drain: how fast places become free.
    """

    def __init__(self, drain: DrainRate) -> None:
        self._drain = drain
        self._full: Full | None = None
        self._said = -1.0

    def full(self, depth: int, limit: int) -> Answer:
        """The script has just found the queue full: the refusal, which is remembered."""
        self._said = now = time.monotonic()
        full = self._full
        if full is None or (full.depth, full.limit) != (depth, limit) or now - full.made > FRESH_S:
            retry_after_s = self._drain.retry_after_s(depth, limit, now)
            answer = unavailable("The queue is full.", retry_after_s, reason="full", depth=depth, limit=limit).answer()
            full = self._full = Full(answer, depth, limit, now)
        return full.answer

    def remembered(self) -> Full | None:
        """What the script said at most ``FRESH_S`` ago, if that was "full"."""
        return self._full if time.monotonic() - self._said <= FRESH_S else None

    @property
    def doubtful(self) -> bool:
        """Whether "full" was the last word, but too long ago to be believed."""
        return self._full is not None and time.monotonic() - self._said > FRESH_S

    def forget(self) -> None:
        """There may be a place now."""
        self._full = None
