"""Timers on the run's clock: never early, and late by about a millisecond at most.

The event loop counts whole milliseconds and may fire a little early. One heap and one loop timer for all of them
is also cheaper than a loop timer for each attempt's patience, which nearly always is cancelled.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable

SWEEP_FROM = 1024
"""Fewer timers than this are not worth sweeping."""


class Timer:
    """One callback to come."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback; harmless when it has run."""
        self.callback = None


class Timers:
    """All callbacks to come, in the order of their times.

    Args:
        now: the clock, in seconds since the run's origin.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._heap: list[tuple[float, int, Timer]] = []
        self._made = 0
        self._handle: asyncio.TimerHandle | None = None
        self._armed_s = math.inf
        self._sweep_at = SWEEP_FROM

    def at(self, when_s: float, callback: Callable[[], None]) -> Timer:
        """Call back at ``when_s``, or in the loop's next round where that has passed."""
        timer = Timer(callback)
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        self._made += 1  # breaks ties: first set, first called
        heapq.heappush(self._heap, (when_s, self._made, timer))
        if when_s < self._armed_s:
            self._arm(when_s)
        return timer

    def close(self) -> None:
        """Forget all callbacks."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._armed_s = math.inf

    def _sweep(self) -> None:
        """Drop the cancelled, so that patience of an hour, nearly always cancelled, is not kept for an hour."""
        self._heap[:] = [entry for entry in self._heap if entry[2].callback is not None]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._heap))

    def _arm(self, when_s: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_s = when_s
        delay_s = math.ceil(max(0.0, when_s - self._now()) * 1000) / 1000
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)

    def _fire(self) -> None:
        heap = self._heap
        now = self._now()  # looked at once: what falls due meanwhile must not starve the sockets
        self._handle, self._armed_s = None, -math.inf
        try:
            while heap and heap[0][0] <= now:
                callback = heapq.heappop(heap)[2].callback
                if callback is not None:
                    callback()
        finally:
            while heap and heap[0][2].callback is None:
                heapq.heappop(heap)
            self._armed_s = math.inf
            if heap:
                self._arm(heap[0][0])
