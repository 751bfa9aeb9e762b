"""Erlang's formulas against published tables and exact sums."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError, UnstableQueue
from lessons.theory import erlang

TABLE = [
    (0.01, {1: 0.0101, 2: 0.153, 5: 1.36, 10: 4.46, 20: 12.0, 50: 37.9, 100: 84.1}),
    (0.02, {1: 0.0204, 2: 0.223, 5: 1.66, 10: 5.08, 20: 13.2, 50: 40.3, 100: 88.0}),
]
"""Load (erlangs) that may be offered to so many lines at a given share refused, to three digits.

Source: the Erlang B table that every handbook of teletraffic prints, for example ITU-D, "Teletraffic Engineering
Handbook".
"""


@pytest.mark.parametrize(("refused", "loads"), TABLE)
def test_erlang_b_is_as_in_the_table(refused: float, loads: dict[int, float]) -> None:
    """Half a unit of a load's third digit below it fewer are refused than stated, half a unit above more."""
    for lines, load in loads.items():
        half = 0.5 * 10.0 ** (len(str(int(load))) - 3) if load >= 1 else 0.5 * 10.0 ** (-3 if load >= 0.1 else -4)
        assert erlang.b(lines, load - half) < refused < erlang.b(lines, load + half), lines


@given(st.integers(1, 60), st.fractions(0, 100, max_denominator=64))
def test_erlang_b_is_erlangs_sum(workers: int, load: Fraction) -> None:
    """(aᶜ/c!)/Σ aᵏ/k!, summed in fractions."""
    exact = load**workers / factorial(workers) / sum(load**k / factorial(k) for k in range(workers + 1))
    assert erlang.b(workers, float(load)) == pytest.approx(float(exact), rel=1e-12)


@given(st.integers(1, 40), st.fractions(0, 1, max_denominator=999))
def test_erlang_c_is_erlangs_sum(workers: int, rho: Fraction) -> None:
    """The same sum with everyone waiting in an endless geometric tail."""
    if rho < 1:
        a = rho * workers
        tail = a**workers / factorial(workers) / (1 - rho)
        exact = tail / (tail + sum(a**k / factorial(k) for k in range(workers)))
        assert erlang.c(workers, float(a)) == pytest.approx(float(exact), rel=1e-9)


def test_the_reserve_of_a_hundred_and_ten() -> None:
    """Ten more than the work needs, for a hundred: 0.237 have to wait."""
    assert erlang.c(110, 100.0) == pytest.approx(0.237, abs=5e-4)


@pytest.mark.parametrize("workers", [1000, 100_000])
def test_many_workers_overflow_nothing(workers: int) -> None:
    """From idle to ten times too much both are probabilities."""
    for rho in (0.0, 1e-6, 0.5, 0.99, 1.0, 10.0):
        assert 0 <= erlang.b(workers, rho * workers) <= 1
        if rho < 1:
            assert erlang.b(workers, rho * workers) <= erlang.c(workers, rho * workers) <= 1


def test_everybody_waits_before_the_limit_is_reached() -> None:
    """C tends to 1 as ρ does, and at ρ = 1 there is no steady state."""
    assert erlang.c(3, 3 - 1e-9) == pytest.approx(1, abs=1e-8)
    with pytest.raises(UnstableQueue, match="at least 4 workers"):
        erlang.c(3, 3.0)


@pytest.mark.parametrize(("workers", "load"), [(0, 1.0), (-1, 1.0), (3, -1.0), (3, nan), (3.0, 1.0)])
def test_what_makes_no_sense_is_told(workers: int, load: float) -> None:
    """For both formulas."""
    for formula in (erlang.b, erlang.c):
        with pytest.raises(ScenarioError, match=r"^(workers|offered_load) = "):
            formula(workers, load)
