"""How long each job took from its attempt's intended time to its end, by time bin.

Counting from the intended time leaves no room for coordinated omission. The client's row and the gateway's may
come in either order; an end whose beginning is unknown waits until it is.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.events import EVENT, Events, Result

Array = NDArray[np.float64]
_Any = TypeVar("_Any", bound=np.generic)

POOL_S = 1.0
"""Percentiles are taken over the jobs of the last second, else a bin of a few jobs would only be noise."""


def grown(array: NDArray[_Any], size: int, fill: float) -> NDArray[_Any]:
    """The array itself, or a copy with at least ``size`` rows, at least twice as many as before."""
    if size <= len(array):
        return array
    more = np.full((max(size, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    more[: len(array)] = array
    return more


class Latencies:
    """Latencies of ended jobs.

    Args:
        bin_s: width of a bin in seconds.
    """

    def __init__(self, bin_s: float) -> None:
        self._bin_s = bin_s
        self._due: dict[int, Array] = {}  # by attempt number, then indexed by request
        self._ended: dict[int, NDArray[np.bool_]] = {}
        self._orphans = np.empty(0, EVENT)
        self._values: dict[int, list[Array]] = {}  # by bin
        self._stale: set[int] = set()
        self._quantiles = np.full((256, 2), np.nan)

    def send(self, rows: Events) -> None:
        """Learn when attempts were due."""
        for attempt in np.unique(rows["attempt"]).tolist():
            mine = rows[rows["attempt"] == attempt]
            due = grown(self._due.get(attempt, np.empty(0)), int(mine["request"].max()) + 1, np.nan)
            due[mine["request"]] = mine["value"]
            self._due[attempt] = due

    def end(self, rows: Events) -> NDArray[np.bool_]:
        """Learn of ended jobs; returns which rows are the first end of their attempt."""
        first = np.zeros(len(rows), bool)
        for attempt in np.unique(rows["attempt"]).tolist():
            at = np.flatnonzero(rows["attempt"] == attempt)
            requests, where = np.unique(rows["request"][at], return_index=True)
            ended = grown(self._ended.get(attempt, np.zeros(0, bool)), int(requests.max()) + 1, False)
            first[at[where]] = ~ended[requests]
            ended[requests] = True
            self._ended[attempt] = ended
        done = rows[(rows["code"] == Result.OK) & np.isfinite(rows["t"])]
        waiting = np.concatenate([self._orphans, done])
        due = self._due_of(waiting)
        known = np.isfinite(due)
        self._orphans = waiting[~known]
        self._put(waiting["t"][known], (waiting["t"] - due)[known])
        return first

    def quantiles(self, n: int) -> tuple[Array, Array]:
        """Median and 95th percentile (seconds) for bins 0 to n − 1; NaN where no job ended."""
        self._quantiles = grown(self._quantiles, n, np.nan)
        pool = max(round(POOL_S / self._bin_s), 1)
        for b in sorted({s + k for s in self._stale for k in range(pool)}):
            if b < len(self._quantiles):
                self._quantiles[b] = self._of(range(max(b - pool + 1, 0), b + 1))
        self._stale.clear()
        return self._quantiles[:n, 0], self._quantiles[:n, 1]

    def _of(self, bins: range) -> tuple[float, float]:
        parts = [part for b in bins for part in self._values.get(b, ())]
        if not parts:
            return np.nan, np.nan
        values = np.sort(np.concatenate(parts))
        # nearest rank: the value that at least this share did not exceed
        return values[-(-len(values) * 50 // 100) - 1], values[-(-len(values) * 95 // 100) - 1]

    def _due_of(self, rows: Events) -> Array:
        due = np.full(len(rows), np.nan)
        for attempt in np.unique(rows["attempt"]).tolist():
            known = self._due.get(attempt, np.empty(0))
            at = np.flatnonzero((rows["attempt"] == attempt) & (rows["request"] < len(known)))
            due[at] = known[rows["request"][at]]
        return due

    def _put(self, times: Array, latencies: Array) -> None:
        bins = np.maximum(times / self._bin_s, 0).astype(np.int64)
        for b in np.unique(bins).tolist():
            self._values.setdefault(b, []).append(latencies[bins == b])
            self._stale.add(b)
        # room for the bins that a late job still changes
        self._quantiles = grown(self._quantiles, int(bins.max(initial=0)) + 2, np.nan)
