"""How fast jobs have been finishing lately, and so how long the queue's surplus takes to go."""

from __future__ import annotations

from collections import deque

WINDOW_S = 5.0
"""Long enough for a dozen jobs at classroom rates, short enough to follow a slider."""

SHORTEST_S = 1.0
"""One job that took no time is no rate: a measurement lasts at least this long."""

MOST = 20_000
"""Finishes remembered; more than this in one window (4,000 per second) only shortens the window."""


class DrainRate:
    """Finished jobs per second over the last ``WINDOW_S`` seconds, any run's, since all share the workers."""

    def __init__(self) -> None:
        self._finished: deque[float] = deque(maxlen=MOST)
        self._since: float | None = None

    def finished(self, now: float) -> None:
        """A job finished at ``now`` (CLOCK_MONOTONIC seconds)."""
        if self._since is None:
            self._since = now
        self._finished.append(now)

    def per_second(self, now: float) -> float | None:
        """The rate; None while nothing has finished lately."""
        finished = self._finished
        while finished and finished[0] < now - WINDOW_S:
            finished.popleft()
        if not finished:
            self._since = None
            return None
        assert self._since is not None
        start = max(self._since, now - WINDOW_S)
        if len(finished) == MOST:
            start = finished[0]
        return len(finished) / max(now - start, SHORTEST_S)

    def retry_after_s(self, depth: int, limit: int, now: float) -> float:
        """Seconds until a place is free if jobs go on finishing as they did; 1 when nothing is known."""
        rate = self.per_second(now)
        return 1.0 if rate is None else max(depth - limit + 1, 1) / rate
