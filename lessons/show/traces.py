"""What a run and a formula look like as curves that can be laid over each other.

The number of jobs inside is a time average here, as ``in_system`` is: the live picture's own curve shows the deepest
moment of each quarter of a second, and the formula would look too low beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.measures import sojourns, stays
from demo_workers.records.run import Run

Array = NDArray[np.float64]

MIDDLE = 95.0
"""Percent of the twins that lie inside the band that stands for them."""


class Band(NamedTuple):
    """Between which two heights most of some curves run, at each x."""

    low: Array
    high: Array


def inside(run: Run, edges: Array) -> Array:
    """Mean number of jobs in the system between each two of some moments (seconds)."""
    came, left = stays(run)
    areas: Array = _area(came, edges) - _area(left, edges)
    return np.diff(areas) / np.diff(edges)


def share_done(run: Run, times_s: Array) -> Array:
    """Share of the jobs (0 to 1) that were done within each of some times; NaN where none was done."""
    found = np.sort(sojourns(run))
    if not len(found):
        return np.full(len(times_s), np.nan)
    return np.asarray(np.searchsorted(found, times_s, side="right") / len(found))


def longest_s(run: Run, share: float = 0.99) -> float:
    """Within how many seconds this share of the jobs was done; 0 where none was."""
    found = sojourns(run)
    return float(np.quantile(found, share)) if len(found) else 0.0


def band(runs: Sequence[Run], curve: Callable[[Run], Array]) -> Band:
    """Where the middle 95 % of some runs' curves run; those without a value, as of a run in which nobody was served,
    are left out.
    """
    curves = np.array([curve(run) for run in runs])
    known = curves[np.isfinite(curves).all(axis=1)]
    if not len(known):
        return Band(np.full(curves.shape[1], np.nan), np.full(curves.shape[1], np.nan))
    low, high = np.percentile(known, [50 - MIDDLE / 2, 50 + MIDDLE / 2], axis=0)
    return Band(low, high)


def _area(times: Array, until: Array) -> Array:
    """For each moment, the sum of how long ago those times are that are past."""
    ordered = np.sort(times[np.isfinite(times)])
    past = np.searchsorted(ordered, until)
    return np.asarray(past * until - np.concatenate([[0.0], np.cumsum(ordered)])[past])
