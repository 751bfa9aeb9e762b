"""Useful throughput: what is served while its client still waits, and the limit that a promise allows.

Those whose patience ends stay in the queue and are served all the same (zombie work), so patience does not change the
queue: beyond it a longer queue only makes answers useless.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from demo_workers.errors import ScenarioError
from lessons.theory import mmck
from lessons.theory.bounds import positive, whole


class InTime(NamedTuple):
    """``share`` of the admitted jobs done within the patience, and how many per second that is."""

    share: float
    rate: float


def in_time(arrival_rate: float, service_time_s: float, workers: int, limit: int, patience_s: float) -> InTime:
    """P(sojourn of admitted ≤ patience) in M/M/c/K, and admitted rate × that share.

    Args:
        arrival_rate: λ, offered, per second.
        service_time_s: S, mean, seconds.
        workers: c.
        limit: K, waiting and running.
        patience_s: how long a client waits for the answer, seconds.

    Raises:
        ScenarioError: a value is out of bounds.

    Source: the sojourn is a sum of exponential times, see ``departures``.
    """
    state = mmck.steady_state(arrival_rate, service_time_s, workers, limit)
    assert state.sojourn is not None  # M/M/c/K has one
    share = state.sojourn.within(positive("patience_s", patience_s))
    return InTime(share, state.throughput * share)


def longest_queue(latency_s: float, service_time_s: float, workers: int) -> int:
    """⌊latency/(S/c)⌋: how many jobs may be inside so that the last one is done within the promise, on average.

    200 ms with 50 ms of work on 8 threads: 32.

    Raises:
        ScenarioError: a value is out of bounds, or the promise is shorter than one job's turn.

    Source: M. Thompson, "Applying Back Pressure When Overloaded", Mechanical Sympathy, 2012.
    """
    turn_s = positive("service_time_s", service_time_s) / whole("workers", workers)
    # a hair above, so that 0.2/(0.05/8) is 32 and not 31 for a rounding error
    most = math.floor(positive("latency_s", latency_s) / turn_s * (1 + 1e-12))
    if most < 1:
        raise ScenarioError("latency_s", latency_s, f"at least S/c = {turn_s:g} s", "Promise more, or add workers.")
    return most
