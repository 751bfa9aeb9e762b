"""Sums over the geometric tail of a queue, exact also where its ratio is 1 or nearly so.

The states beyond "all workers busy" of an M/M/c/K queue have probabilities in the ratio ρ. The textbook forms divide by
1 − ρ; these do not lose digits there. ``terms`` may be a real number, which the two-moment formulas use.

Source: the closed forms are elementary; the series of 1/(eᵘ − 1) has the Bernoulli numbers as coefficients (Abramowitz
and Stegun, "Handbook of Mathematical Functions", 23.1).
"""

from __future__ import annotations

import math


def total(ratio: float, terms: float) -> float:
    """Σ ratio^j for j = 0 … terms − 1, with 0 ≤ ratio ≤ 1."""
    if terms <= 0:
        return 0.0
    if ratio == 0:
        return 1.0
    x = math.log(ratio)
    return terms if x == 0 else math.expm1(terms * x) / math.expm1(x)


def mean(ratio: float, terms: float) -> float:
    """The mean of j = 0 … terms − 1 with weights ratio^j, for any ratio ≥ 0."""
    if terms <= 1 or ratio == 0:
        return 0.0
    if ratio > 1:  # the same weights, counted from the other end
        return terms - 1 - mean(1 / ratio, terms)
    x = -math.log(ratio)
    far = terms * x
    if far < 0.5:
        return (terms - 1) / 2 + _rest(x) - terms * _rest(far)
    return _geometric_mean(x) - terms * _geometric_mean(far)


def _geometric_mean(u: float) -> float:
    """1/(eᵘ − 1), which does not overflow."""
    return -math.exp(-u) / math.expm1(-u)


def _rest(u: float) -> float:
    """1/(eᵘ − 1) − 1/u + 1/2 for 0 ≤ u ≤ 0.5, where that difference would lose its digits."""
    w = u * u
    return u * (
        1 / 12 - w * (1 / 720 - w * (1 / 30240 - w * (1 / 1209600 - w * (1 / 47900160 - w * 691 / 1307674368000))))
    )
