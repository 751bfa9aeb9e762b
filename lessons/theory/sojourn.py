"""How long jobs stay, as a distribution: what every model's sojourn answers, and that of M/M/1 and M/M/c."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lessons.theory.bounds import HIGHEST_QUANTILE, number

Floats = NDArray[np.float64]
PRECISION = 1e-12
TINY = 1e-300


class Sojourn(ABC):
    """The distribution of the time from admission to completion, in seconds."""

    scale_s: float
    """Where the search for a quantile begins; any positive time does."""

    @abstractmethod
    def survival(self, t_s: float) -> float:
        """P(sojourn > t)."""

    def within(self, t_s: float) -> float:
        """P(sojourn ≤ t).

        Raises:
            ScenarioError: a negative time.
        """
        return 1 - self.survival(number("t_s", t_s))

    def quantile(self, q: float) -> float:
        """The time (seconds) within which a share ``q`` of the jobs is done.

        Raises:
            ScenarioError: q is not in [0, 1 − 10⁻⁹].
        """
        left = 1 - number("q", q, 0.0, HIGHEST_QUANTILE)
        return crossing(lambda t: math.log(max(self.survival(t), TINY) / left), self.scale_s)


class WaitThenServe(Sojourn):
    """With probability ``p_wait`` an exponential wait, then an exponential service; otherwise only the service.

    Its model has checked the values. Rates are per second.

    Source: P(wait > t) = C e^(−(cμ−λ)t) in M/M/c (Kleinrock, "Queueing Systems", volume 1, chapter 3; Gross et al.).
    """

    def __init__(self, p_wait: float, wait_rate: float, service_rate: float) -> None:
        self._p_wait, self._wait_rate, self._service_rate = p_wait, wait_rate, service_rate
        self.scale_s = 1 / service_rate

    def survival(self, t_s: float) -> float:
        """e^(−μt) + P(wait) μ ∫ e^(−μs) e^(−β(t−s)) ds: the integral has no pole where μ = β, that is (c − 1)μ = λ."""
        if t_s <= 0:
            return 1.0
        mu, beta = self._service_rate, self._wait_rate
        apart = abs(mu - beta) * t_s
        integral = t_s * math.exp(-min(mu, beta) * t_s) * (-math.expm1(-apart) / apart if apart else 1.0)
        return math.exp(-mu * t_s) + self._p_wait * mu * integral


def crossing(height: Callable[[float], float], scale: float) -> float:
    """The smallest t ≥ 0 at which a falling function is no longer above 0.

    Secant steps (Illinois rule) with a bisection now and then: fast where it is smooth, safe where it jumps.
    """
    low, high, at_low, at_high = 0.0, scale, height(0.0), height(scale)
    if at_low <= 0:
        return 0.0
    while at_high > 0:
        low, at_low = high, at_high
        high *= 2
        at_high = height(high)
    side = 0
    for step in range(200):
        if high - low <= PRECISION * high:
            break
        t = (low + high) / 2 if step % 3 == 2 else low + (high - low) * at_low / (at_low - at_high)
        if not low < t < high:
            t = (low + high) / 2
        at_t = height(t)
        if at_t > 0:
            low, at_low, at_high, side = t, at_t, at_high / (2 if side == 1 else 1), 1
        else:
            high, at_high, at_low, side = t, at_t, at_low / (2 if side == -1 else 1), -1
        if at_t == 0:
            break
    return high
