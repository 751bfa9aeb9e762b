"""Universal Scalability Law: why the tenth worker adds less than the second, and the fiftieth may take away.

Source: N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007. With β = 0 it is Amdahl's law.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from demo_workers.errors import ScenarioError
from lessons.theory.bounds import number, positive
from lessons.theory.sojourn import Floats


class Scalability(NamedTuple):
    """Contention ``alpha`` (queueing for one thing), coherence ``beta`` (all talk to all), throughput of ``one``."""

    alpha: float
    beta: float
    one: float = 1.0

    def throughput(self, n: float) -> float:
        """one · N/(1 + α(N − 1) + βN(N − 1)).

        Raises:
            ScenarioError: n is below 1.
        """
        number("n", n, 1.0)
        return self.one * n / (1 + self.alpha * (n - 1) + self.beta * n * (n - 1))

    @property
    def peak(self) -> float:
        """√((1 − α)/β), where throughput is highest (a real number; infinity when β = 0)."""
        if self.alpha >= 1:
            return 1.0
        return max(1.0, math.sqrt((1 - self.alpha) / self.beta)) if self.beta else math.inf

    @property
    def highest(self) -> float:
        """The throughput at the peak; with β = 0 Amdahl's limit one/α."""
        if math.isfinite(self.peak):
            return self.throughput(self.peak)
        return self.one / self.alpha if self.alpha else math.inf


def law(alpha: float, beta: float, one: float = 1.0) -> Scalability:
    """The law with given coefficients.

    Raises:
        ScenarioError: α is not in [0, 1], β is negative, or the throughput of one is not above 0.
    """
    return Scalability(number("alpha", alpha, 0.0, 1.0), number("beta", beta), positive("one", one))


def fit(n: Sequence[float], throughput: Sequence[float]) -> Scalability:
    """The law closest to measurements, in relative terms; no coefficient below 0.

    N/X is linear in the unknowns 1/one, α/one and β/one: least squares, without those that would be negative.

    Args:
        n: how many workers (or clients, or nodes), each at least 1, three different ones or more.
        throughput: what they did, each above 0; the same length.

    Raises:
        ScenarioError: too few different sizes, or a value out of bounds.
    """
    sizes = np.array([number("n", v, 1.0) for v in n])
    rates = np.array([positive("throughput", v) for v in throughput])
    if len(sizes) != len(rates) or len(set(sizes.tolist())) < 3:
        bound = "as long as throughput, with three different sizes or more"
        raise ScenarioError("n", list(n), bound, "Measure more sizes: one, two, four, eight.")
    columns = np.stack([np.ones_like(sizes), sizes - 1, sizes * (sizes - 1)], axis=1) * (rates / sizes)[:, None]
    tried = [_least_squares(columns, kept) for kept in ([0, 1, 2], [0, 1], [0, 2], [0])]
    coefficients = min((found for found in tried if min(found[1]) >= 0), key=lambda found: found[0])[1]
    return Scalability(coefficients[1] / coefficients[0], coefficients[2] / coefficients[0], 1 / coefficients[0])


def _least_squares(columns: Floats, kept: list[int]) -> tuple[float, list[float]]:
    """Squared relative error and the three coefficients, 0 for those not kept."""
    found, *_ = np.linalg.lstsq(columns[:, kept], np.ones(len(columns)), rcond=None)
    coefficients = [0.0, 0.0, 0.0]
    for place, value in zip(kept, found, strict=True):
        coefficients[place] = float(value)
    return float(np.sum((columns @ coefficients - 1) ** 2)), coefficients
