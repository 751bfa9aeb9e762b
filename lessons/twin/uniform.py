"""The workbook's random numbers (``demo_workers.variates``) for the engine, plain and compiled: the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_workers.variates import variate

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53


def uniform(seed: int, stream: int, index: int, sub: int) -> float:
    """``variate``, for the engine running as plain Python."""
    return variate(seed, stream, index, sub)  # type: ignore[arg-type]  # an engine's register holds the stream's number


def uniform_compiled(seed: int, stream: int, index: int, sub: int) -> float:
    """The same in 64-bit arithmetic that wraps around, for the compiled engine only."""
    z = _mix(_mix(_mix(_mix(np.uint64(seed)) ^ np.uint64(stream)) ^ np.uint64(index)) ^ np.uint64(sub))
    return float((z >> _11) * _UNIT)


def _mix(z: Any) -> Any:
    z = z + _GAMMA
    z = (z ^ (z >> _30)) * _ONE
    z = (z ^ (z >> _27)) * _TWO
    return z ^ (z >> _31)
