"""429: a token bucket for each client. It is about fairness between clients; 503 is about the system's own limits.

Clients that do not name themselves share one bucket: otherwise the way round the limit would be to say nothing.
"""

from __future__ import annotations

from collections import OrderedDict

from demo_workers.policies.rate_limit import RateLimit, take

MOST = 10_000
"""Clients remembered. Past that the one that has been silent for longest is forgotten, and finds a full bucket."""


class Throttle:
    """The buckets of one run's clients."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[int, RateLimit] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._buckets)

    def wait_s(self, client: int, now: float, rate: float, burst: float) -> float:
        """A request comes: 0 and a token is taken, or the seconds until there is one.

        Args:
            client: its number; -1 did not say.
            now: seconds on a clock that does not go back.
            rate: tokens per second that each bucket gets.
            burst: most tokens that it holds.
        """
        bucket, wait_s = take(self._buckets.pop(client, RateLimit()), now, rate, burst)
        self._buckets[client] = bucket
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return wait_s
