"""Quantiles of durations in bounded memory, since a load may go on for an hour."""

from __future__ import annotations

import math

GROWTH = 1.02
"""Each bucket ends this many times later than the one before: a quantile is at most 2 % too long, never too short."""

FLOOR_S = 1e-6
"""Shorter durations share the first bucket."""

LONGEST_S = 1e4
"""Longer ones share the last."""

_PER_E_FOLD = 1 / math.log(GROWTH)
_OFFSET = 1 - math.log(FLOOR_S) * _PER_E_FOLD
_BUCKETS = int(math.log(LONGEST_S / FLOOR_S) * _PER_E_FOLD) + 2


class Histogram:
    """Counts durations (seconds) in some 1,200 buckets of equal ratio; the longest one is kept as it was."""

    def __init__(self) -> None:
        self._buckets = [0] * _BUCKETS
        self.count = 0
        self.max_s = 0.0

    def add(self, duration_s: float) -> None:
        """Note one duration."""
        bucket = int(math.log(duration_s) * _PER_E_FOLD + _OFFSET) if duration_s > FLOOR_S else 0
        self._buckets[bucket if bucket < _BUCKETS else -1] += 1
        self.count += 1
        if duration_s > self.max_s:
            self.max_s = duration_s

    def quantile(self, q: float) -> float:
        """The duration (seconds) that a share ``q`` of all does not exceed; 0 when there are none."""
        rank, seen = math.ceil(q * self.count), 0
        for bucket, n in enumerate(self._buckets):
            seen += n
            if seen >= rank:
                return min(FLOOR_S * GROWTH**bucket, self.max_s)
        return self.max_s

    def to_dict(self) -> dict[str, float]:
        """``p50_s``, ``p95_s``, ``p99_s`` and ``max_s``; zeros when there are none."""
        named = {f"p{round(q * 100)}_s": self.quantile(q) for q in (0.5, 0.95, 0.99)}
        return {**named, "max_s": self.max_s}
