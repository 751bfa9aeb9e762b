"""Sums over a geometric tail, against sums in fractions, also where the closed forms lose their digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.theory import birth_death, geometric

RATIOS = [0.0, 1e-12, 1e-9, 0.5, 0.999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12, 1 - 1e-16, 1.0]


@pytest.mark.parametrize("ratio", [*RATIOS, 1 + 1e-15, 1 + 1e-9, 1.001, 2.0, 1e9])
@pytest.mark.parametrize("terms", [1, 2, 3, 50, 300])
def test_they_are_the_sums(ratio: float, terms: int) -> None:
    """To 1e-12, on both sides of 1."""
    powers = [Fraction(ratio) ** j for j in range(terms)]
    mean = sum(j * power for j, power in enumerate(powers)) / sum(powers)
    assert geometric.mean(ratio, terms) == pytest.approx(float(mean), rel=1e-12, abs=1e-300)
    if ratio <= 1:
        assert geometric.total(ratio, terms) == pytest.approx(float(sum(powers)), rel=1e-12)


def test_nothing_sums_to_nothing() -> None:
    """No terms."""
    assert geometric.total(0.5, 0) == geometric.mean(0.5, 0) == 0


@given(st.floats(0.4, 0.6), st.integers(10, 10**6))
def test_the_series_and_the_closed_form_meet(far: float, terms: int) -> None:
    """The mean does not jump where one takes over from the other."""
    below, above = (geometric.mean(float(np.exp(-far * f / terms)), terms) for f in (1 - 1e-10, 1 + 1e-10))
    assert below == pytest.approx(above, rel=1e-8)


def test_a_chain_starts_its_sums_where_the_weight_is() -> None:
    """A million states with a mode far from both ends: no overflow, and it is the Poisson distribution."""
    p = birth_death.stationary(500_000 / np.arange(1.0, 1_000_001.0))
    states = np.arange(1_000_001)
    assert p.sum() == pytest.approx(1)
    assert p @ states == pytest.approx(500_000)
    assert p @ (states - 500_000.0) ** 2 == pytest.approx(500_000, rel=1e-6)
    assert birth_death.stationary(np.zeros(3)).tolist() == [1, 0, 0, 0]
