"""A wait and a service of any distribution, one after the other, and something constant on top."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lessons.theory.sojourn import Floats, Sojourn

SLICES = 2000
DEEPEST = 25.0


class Spread(Sojourn):
    """The sum of an independent wait, service and constant: P(sojourn > t) is a mean over slices of the service time.

    Args:
        wait_survival: P(wait > t) for an array of times t ≥ 0, of the same shape.
        service_at: the service time (seconds) whose cumulative probability is u.
        constant_s: what every job spends besides.
    """

    def __init__(
        self, wait_survival: Callable[[Floats], Floats], service_at: Callable[[float], float], constant_s: float = 0.0
    ) -> None:
        self._wait, self._constant_s = wait_survival, constant_s
        self._shares, self._services = slices(service_at)
        self.scale_s = constant_s + float(self._shares @ self._services)

    def survival(self, t_s: float) -> float:
        """P(sojourn > t)."""
        left = t_s - self._constant_s - self._services
        return float(self._shares @ np.where(left < 0, 1.0, self._wait(np.maximum(left, 0.0))))


def slices(service_at: Callable[[float], float]) -> tuple[Floats, Floats]:
    """A distribution cut into slices: their probabilities and the time (seconds) of each, rising.

    They are equal steps in −log(1 − u): as fine in the far tail as in the middle.

    Args:
        service_at: the service time whose cumulative probability is u.
    """
    edges = -np.expm1(-np.linspace(0.0, DEEPEST, SLICES + 1))
    middles = -np.expm1(-(np.arange(SLICES) + 0.5) * DEEPEST / SLICES)
    return np.diff(edges) / edges[-1], np.array([service_at(u) for u in middles])
