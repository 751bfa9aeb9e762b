"""Random numbers that are a function of (seed, stream, index), so that every part plays the same tape.

A counter-based generator has no hidden state: a slider moved in mid-run, a crash or another order of calls
changes no number that comes later.

Source: the mixing function is SplitMix64's (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014), applied once per coordinate.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


class Stream(IntEnum):
    """What a variate is for; different streams are independent."""

    ARRIVAL = 1
    SERVICE = 2
    CLIENT = 3
    JITTER = 4
    THINK = 5  # closed loop: index is the request, which names client and cycle
    URGENT = 6
    GUARD = 7  # the coin of adaptive throttling: index the request, sub the attempt
    COST = 8  # the twin's: which measured cost a job has; index and sub as above
    PICKUP = 9  # the twin's: how soon an idle worker takes it
    HOP = 10  # the contention experiment: index the client and which of its messages


def _mix(z: int) -> int:
    z = (z + _GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _mix_all(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """``_mix`` of each; NumPy's 64-bit integers wrap round by themselves."""
    z = z + np.uint64(_GAMMA)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def variate(seed: int, stream: Stream, index: int, sub: int = 0) -> float:
    """A number in [0, 1), uniform, always the same for the same four arguments.

    Args:
        seed: the scenario's seed.
        stream: what the number is for.
        index: usually the request's number.
        sub: usually the attempt's number.
    """
    z = _mix(_mix(_mix(_mix(seed & _MASK) ^ stream) ^ index) ^ sub)
    return (z >> 11) * 2.0**-53


def variates(seed: int, stream: Stream, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """``variate(seed, stream, i)`` for each index i, to the last bit; some fifty times faster."""
    start = np.uint64(_mix(_mix(seed & _MASK) ^ stream))
    z = _mix_all(_mix_all(indices.astype(np.uint64) ^ start))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
