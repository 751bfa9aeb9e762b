"""Adaptive limit: it shrinks where jobs take much longer than in quiet times, and grows where they do not.

gradient = tolerance · quiet sojourn / recent sojourn, between 1/2 and 1. While as many jobs as fit inside get done, the
limit moves to limit · gradient + √limit; the root is the queue that is always allowed. It grows only while it is used,
and it only tightens the scenario's limit: callers take the smaller of both.

Source: Netflix concurrency-limits, Gradient2Limit, and Eran Landau et al., "Performance Under Load", Netflix Technology
Blog, 2018 (the √). Two things differ. Theirs moves a fifth of the way with every job (or window of jobs), which swings
where the answer to a change comes a queue later. And theirs takes a long overload for the new normal; ours learns the
quiet sojourn only from jobs that met less than half of the limit, as Envoy's does by closing its door now and then.
"""

from __future__ import annotations

import math
from typing import NamedTuple

FIRST, LEAST, MOST = 20.0, 1.0, 200.0
"""The limit at first, at least and at most. Source: Gradient2Limit, but for the least, which is 20 there."""
RECENT, QUIET, WARM_UP = 10, 600, 10
"""Jobs that the two averages look back on, and those that both start with. Source: Gradient2Limit for the last two."""
_SMALL = 5.0  # half the gradient and the root hold the limit near 4; there even a busy system shows its quiet sojourn


class Adaptive(NamedTuple):
    """The limit, the average sojourns in seconds (recent, and in quiet times), and how many jobs they have seen."""

    limit: float = FIRST
    recent_s: float = 0.0
    quiet_s: float = 0.0
    jobs: int = 0


def observe(state: Adaptive, now: float, sojourn_s: float, in_flight: int, tolerance: float) -> Adaptive:
    """A job is done.

    Args:
        state: the gateway's.
        now: seconds since the run's origin.
        sojourn_s: how long the job was inside.
        in_flight: jobs waiting and running, this one included.
        tolerance: how many times the quiet sojourn is tolerated.
    """
    jobs = state.jobs + 1
    recent_s = state.recent_s + (sojourn_s - state.recent_s) / min(jobs, RECENT)
    used = in_flight >= state.limit / 2
    quiet_s = state.quiet_s
    if jobs <= WARM_UP:
        quiet_s += (sojourn_s - quiet_s) / jobs
    elif not used or state.limit < _SMALL:
        quiet_s += (sojourn_s - quiet_s) * 2 / (QUIET + 1)
    gradient = min(1.0, max(0.5, tolerance * quiet_s / max(recent_s, 1e-9)))
    # one job is 1/limit of the way to limit · gradient + √limit
    moved = state.limit + gradient - 1.0 + 1.0 / math.sqrt(state.limit)
    if moved > state.limit and not used:
        moved = state.limit
    return Adaptive(min(MOST, max(LEAST, moved)), recent_s, quiet_s, jobs)


def limit(state: Adaptive) -> float:
    """The limit (jobs waiting and running); the caller takes the smaller of this and the scenario's."""
    return state.limit
