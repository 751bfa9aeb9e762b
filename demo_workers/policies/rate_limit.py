"""Rate limit: the server's token bucket for one client, past which that client hears 429.

The bucket holds ``burst`` tokens and gets ``rate`` per second; a request takes one. So in any window of t seconds at
most burst + rate · t are let in, however idle the system is: that is fairness between clients, no answer to overload.

Source: the generic cell rate algorithm of ITU-T Recommendation I.371, which is a token bucket written as one number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_SLACK_S = 1e-9  # who comes back exactly when told must not find that a rounding error was missing


class RateLimit(NamedTuple):
    """When the bucket would be full again (seconds since the run's origin); full at first."""

    full_at_s: float = -math.inf


def take(state: RateLimit, now: float, rate: float, burst: float) -> tuple[RateLimit, float]:
    """A request comes: 0, and a token is taken; else the seconds until one is there, and nothing is taken.

    Args:
        state: this client's.
        now: seconds since the run's origin.
        rate: tokens per second, above 0.
        burst: most tokens saved up, at least 1.
    """
    full_at_s = max(now, state.full_at_s)
    wait_s = full_at_s - now - (burst - 1.0) / rate
    if wait_s > _SLACK_S:
        return state, wait_s
    return RateLimit(full_at_s + 1.0 / rate), 0.0
