"""A wait and a service of any distribution, one after the other, and something constant on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lessons.theory.sojourn import Floats, Sojourn

SLICES = 1000
DEEPEST = 25.0


class Slices(NamedTuple):
    """A distribution of service times cut into slices: their probabilities, and the time (seconds) of each, rising."""

    shares: Floats
    times_s: Floats


def slices(service_at: Callable[[float], float]) -> Slices:
    """Cut in equal steps of −log(1 − u), which are as fine in the far tail as in the middle.

    Args:
        service_at: the service time (seconds) whose cumulative probability is u.
    """
    edges = -np.expm1(-np.linspace(0.0, DEEPEST, SLICES + 1))
    middles = -np.expm1(-(np.arange(SLICES) + 0.5) * DEEPEST / SLICES)
    return Slices(np.diff(edges) / edges[-1], np.array([service_at(u) for u in middles]))


class WaitAndService(Sojourn):
    """The sum of an independent wait, service and constant.

    Args:
        wait_survival: P(wait > t) for an array of times t ≥ 0, of the same shape.
        services: the service times.
        constant_s: what every job spends besides.
    """

    def __init__(self, wait_survival: Callable[[Floats], Floats], services: Slices, constant_s: float = 0.0) -> None:
        self._wait, self._services, self._constant_s = wait_survival, services, constant_s
        self._longer = 1 - np.cumsum(services.shares) + services.shares / 2
        self.scale_s = constant_s + float(services.shares @ services.times_s)

    def survival(self, t_s: float) -> float:
        """P(sojourn > t): the service alone is longer, or the wait is longer than what the service leaves of t."""
        shares, times_s = self._services
        left = t_s - self._constant_s
        alone = np.interp(left, times_s, self._longer, left=1.0, right=0.0)
        short = int(np.searchsorted(times_s, left, side="right"))
        return float(alone + shares[:short] @ self._wait(left - times_s[:short]))
