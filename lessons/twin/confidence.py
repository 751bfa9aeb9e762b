"""How sure a mean over replications is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean, stdev

CONFIDENCE = 0.95


def half_width(values: Sequence[float]) -> float | None:
    """Half the width of the interval that holds the true mean with 95 % confidence; None for fewer than two values.

    Args:
        values: one per replication, independent of each other.
    """
    n = len(values)
    return student_t(n - 1) * stdev(values) / math.sqrt(n) if n > 1 else None


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of no values."""
    return fmean(values) if values else None


@cache
def student_t(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Student's t: how many standard errors to each side hold the true mean with this confidence.

    Args:
        degrees: of freedom, at least 1: one fewer than there are values.
        confidence: between 0 and 1.
    """
    low, high = 0.0, math.pi / 2  # angles; t = √degrees · tan(angle)
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(high)


def _within(angle: float, degrees: int) -> float:
    """The probability that |t| is at most √degrees · tan(angle): a finite sum for whole degrees of freedom.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= (power + 1) / (power + 2) * cosine * cosine
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
