"""How long a test has patience with what is promised within so many seconds.

Promises are made for a machine whose cores are its own. On a shared one the same loop takes one to five times as long,
from minute to minute. So its pace is measured beside what is promised, in the same run, and the promise is stretched by
it. The measure is processor time of one thread: what a test does to the cores by itself does not count as slowness.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from functools import cache
from types import TracebackType

SPARE_S = 10.0 if os.environ.get("CI") == "true" else 0.0
"""The CI's machine does other things too; what must end there at last has so much more time."""
STEPS = 80_000
QUIET_S = 0.010
"""What so many steps took on the machine that the promises were made on (2 GHz, nothing beside): the least of many."""
LAPS = 3
KNOWN_S = 10.0
EVERY_S = 1.0


def _lap_s() -> float:
    """Processor seconds of a fixed piece of work."""
    began, total = time.thread_time(), 0
    for step in range(STEPS):
        total += step * step % 7
    return time.thread_time() - began


def _times_quiet(laps_s: list[float]) -> float:
    """How many times as long as on a quiet machine; a fast machine gets no shorter promises."""
    return max(1.0, statistics.mean(laps_s) / QUIET_S)


@cache
def _pace(_moment: int) -> float:
    return _times_quiet([statistics.median(_lap_s() for _ in range(LAPS))])


def patience(promise_s: float) -> float:
    """The promise itself on a quiet machine of a reader's; more where cores are slow now, and on the CI's."""
    return promise_s * _pace(int(time.monotonic() / KNOWN_S)) + SPARE_S


class Pace:
    """Measures the machine while something else runs: ``with Pace() as pace: …``, then ``pace.slowness``."""

    def __init__(self) -> None:
        self._laps_s: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Pace:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _measure(self) -> None:
        while True:
            self._laps_s.append(_lap_s())
            if self._over.wait(EVERY_S):
                return

    @property
    def slowness(self) -> float:
        """How many times as long the same work took as on a quiet machine, on average; at least 1."""
        return _times_quiet(self._laps_s)
