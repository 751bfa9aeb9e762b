"""Circuit breaker: after some failures in a row nothing is sent for a while, then one probe decides.

``closed`` lets everything through; ``failures`` in a row open it. ``open`` lets nothing through for ``open_s`` seconds.
The first attempt after that is the probe: while it is out the breaker is ``half-open`` and lets nobody else through.
Its success closes the breaker, its failure opens it again.

Source: Michael Nygard, "Release It!", Pragmatic Bookshelf, 2007 (chapter "Circuit Breaker"); the states as in Martin
Fowler, "CircuitBreaker", martinfowler.com, 2014.
"""

from __future__ import annotations

import math
from typing import NamedTuple

CLOSED, OPEN, HALF_OPEN = 0, 1, 2
POSITIONS = ("closed", "open", "half-open")
"""What a lesson calls them."""


class Breaker(NamedTuple):
    """Where it stands, how many failures in a row it has seen there, and since when it stands there."""

    position: int = CLOSED
    failures: int = 0
    since_s: float = -math.inf


def allow(state: Breaker, now: float, open_s: float) -> tuple[Breaker, bool]:
    """An attempt wants to go. Ask this guard last: what it lets through must go, and its end must be recorded."""
    if state.position == CLOSED:
        return state, True
    if state.position == OPEN and now >= state.since_s + open_s:
        return Breaker(HALF_OPEN, 0, now), True
    return state, False


def record(state: Breaker, now: float, sent_s: float, failed: bool, failures: int) -> Breaker:
    """An attempt has ended.

    Args:
        state: the breaker's.
        now: seconds since the run's origin.
        sent_s: when the attempt was let through. One from before the breaker came to where it stands says nothing
            about the time since, so it is not counted: a late answer is not the probe's.
        failed: whether it failed.
        failures: how many in a row open the breaker.
    """
    if state.position == OPEN or sent_s < state.since_s:
        return state
    if not failed:
        return Breaker(CLOSED, 0, state.since_s if state.position == CLOSED else now)
    if state.position == HALF_OPEN or state.failures + 1 >= failures:
        return Breaker(OPEN, 0, now)
    return Breaker(CLOSED, state.failures + 1, state.since_s)
