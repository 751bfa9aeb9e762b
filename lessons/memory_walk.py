"""One step in memory, timed: the same step in working sets of any size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE = 64
"""Bytes that a processor fetches together."""

STEPS = 100_000
BEST_OF = 3


def step_ns(sizes: Sequence[int]) -> dict[int, float]:
    """Mean time of one read of memory that depends on the read before (nanoseconds), for each working set (bytes)."""
    import numba  # a second, which only they wait for who measure this

    # half a second; in plain Python the interpreter would be all that is measured
    walk: Any = numba.njit(_walk)
    walk(_circle(sizes[0]), 10)  # compiled before the clock runs
    return {size: _step_ns(walk, _circle(size)) for size in sizes}


def _walk(cells: NDArray[np.int64], steps: int) -> int:
    """Each cell names the next one, so that no read can begin before the one before has ended."""
    at = 0
    for _ in range(steps):
        at = cells[at]
    return at


def _circle(size: int) -> NDArray[np.int64]:
    """One closed walk through all cache lines of ``size`` bytes, in random order."""
    lines, stride = size // LINE, LINE // 8
    order = np.random.default_rng(size).permutation(lines) * stride
    cells = np.zeros(lines * stride, np.int64)
    cells[order] = np.roll(order, -1)
    return cells


def _step_ns(walk: Callable[..., int], cells: NDArray[np.int64]) -> float:
    walk(cells, min(len(cells) // (LINE // 8), STEPS))
    times = []
    for _ in range(BEST_OF):
        began = time.perf_counter_ns()
        walk(cells, STEPS)
        times.append((time.perf_counter_ns() - began) / STEPS)
    return min(times)
