"""Retry budget: retries may be a share of the requests, plus a few per second.

Each request earns ``ratio`` tokens and each second ``floor_per_s``; a retry spends one. What was earned more than some
seconds ago is worth nothing any more, so a quiet night does not pay for a storm in the morning.

Source: Finagle's RetryBudget (twitter.github.io/finagle, "RetryBudget": ttl 10 s, percentCanRetry, minRetriesPerSec).
It counts in ten windows; here an exponentially decaying count of the requests caps the tokens at the same ten seconds'
worth, in three numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

WORTH_S = 10.0
"""For how many seconds of earning the tokens can be saved. Source: Finagle's default ttl."""
_SLACK = 1e-9  # ten times 0.1 is a little less than 1


class RetryBudget(NamedTuple):
    """What is left, how many requests came lately, and when that was so.

    By default the floor has been earning since before the run's origin, as Finagle's reserve: at most
    ratio · requests + floor_per_s · (time + ``WORTH_S``) retries are paid for.
    """

    tokens: float = 0.0
    requests: float = 0.0
    at_s: float = -WORTH_S


def _until(state: RetryBudget, now: float, ratio: float, floor_per_s: float) -> RetryBudget:
    """The state at ``now``, with what the floor has earned since and without what is too old."""
    passed_s = max(0.0, now - state.at_s)
    requests = state.requests * math.exp(-passed_s / WORTH_S)
    most = ratio * requests + floor_per_s * WORTH_S
    if floor_per_s > 0.0:
        most = max(1.0, most)  # else less than one retry per WORTH_S would be none at all
    return RetryBudget(min(most, state.tokens + floor_per_s * passed_s), requests, max(now, state.at_s))


def earn(state: RetryBudget, now: float, ratio: float, floor_per_s: float) -> RetryBudget:
    """A request begins (its first attempt, not its retries)."""
    then = _until(state, now, ratio, floor_per_s)
    return RetryBudget(then.tokens + ratio, then.requests + 1.0, then.at_s)


def spend(state: RetryBudget, now: float, ratio: float, floor_per_s: float) -> tuple[RetryBudget, bool]:
    """A retry wants to go: whether the budget pays for it."""
    then = _until(state, now, ratio, floor_per_s)
    allowed = then.tokens >= 1.0 - _SLACK
    tokens = max(0.0, then.tokens - 1.0) if allowed else then.tokens
    return RetryBudget(tokens, then.requests, then.at_s), allowed


def left(state: RetryBudget, now: float, ratio: float, floor_per_s: float) -> float:
    """How many retries the budget would pay for now (tokens, not rounded)."""
    return _until(state, now, ratio, floor_per_s).tokens


__all__ = ["WORTH_S", "RetryBudget", "earn", "left", "spend"]
