"""Each backoff policy keeps to its support, mean and ceiling, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.backoff import POLICIES, BackoffState, ceiling
from demo_workers.scenario import BackoffPolicy

retries = st.integers(0, 5000)
seconds = st.floats(1e-3, 3600)
unit = st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(sorted(POLICIES)), retries, unit, seconds, seconds)
def test_no_wait_is_negative_or_above_the_cap(name: BackoffPolicy, n: int, u: float, base: float, cap: float) -> None:
    """0 ≤ wait ≤ cap, and the state counts one more retry."""
    state, wait = POLICIES[name](BackoffState(n, 0.0), 0.0, u, base, cap)
    assert 0 <= wait <= cap
    assert state == BackoffState(n + 1, wait)


def test_the_ceiling_doubles_from_base_to_cap() -> None:
    """The n-th retry has the ceiling min(cap, base · 2^(n−1))."""
    ceilings = [ceiling(BackoffState(n), 0.1, 1.0) for n in range(6)]
    assert ceilings == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_full_jitter_is_uniform_below_the_ceiling() -> None:
    """It is u times the ceiling, so its mean is half of it and its variance a twelfth of its square."""
    for n in range(6):
        top = ceiling(BackoffState(n), 0.1, 1.0)
        waits = [POLICIES["full"](BackoffState(n), 0.0, (i + 0.5) / 1000, 0.1, 1.0)[1] for i in range(1000)]
        mean = sum(waits) / 1000
        assert (min(waits), max(waits)) == pytest.approx((top / 2000, top * 1999 / 2000))
        assert mean == pytest.approx(top / 2)
        assert sum((w - mean) ** 2 for w in waits) / 1000 == pytest.approx(top**2 / 12, rel=1e-5)


def test_the_others_use_no_randomness() -> None:
    """immediate waits 0, fixed the base, exponential the ceiling, whatever u is."""
    for u in (0.0, 0.3, 0.999):
        assert POLICIES["immediate"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == 0
        assert POLICIES["fixed"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == 0.1
        assert POLICIES["exponential"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == pytest.approx(0.8)


def test_equal_jitter_is_uniform_over_the_upper_half() -> None:
    """From half of the ceiling to all of it, so its mean is 3/4 of it and its variance 1/48 of its square."""
    for n in range(6):
        top = ceiling(BackoffState(n), 0.1, 1.0)
        waits = np.array([POLICIES["equal"](BackoffState(n), 0.0, (i + 0.5) / 1000, 0.1, 1.0)[1] for i in range(1000)])
        assert (waits.min(), waits.max()) == pytest.approx((top / 2, top), rel=1e-3)
        assert waits.mean() == pytest.approx(0.75 * top)
        assert waits.var() == pytest.approx(top**2 / 48, rel=1e-5)


@given(unit, st.floats(0, 3600), st.floats(1e-3, 600), seconds)
def test_decorrelated_jitter_depends_on_the_last_wait_alone(u: float, previous: float, base: float, cap: float) -> None:
    """It is uniform from the base to three times the last wait, and what is above the cap lands on the cap."""
    wait = POLICIES["decorrelated"](BackoffState(5, previous), 0.0, u, base, cap)[1]
    drawn = base + u * (3 * max(previous, base) - base)
    assert wait == pytest.approx(min(drawn, cap))
    assert POLICIES["decorrelated"](BackoffState(50, previous), 0.0, u, base, cap)[1] == wait


def test_the_cap_of_decorrelated_jitter_is_an_atom() -> None:
    """After a wait of p the share of waits at the cap is (3p − cap) / (3p − base)."""
    base, cap, previous = 0.1, 1.0, 0.7
    waits = [
        POLICIES["decorrelated"](BackoffState(3, previous), 0.0, (i + 0.5) / 10_000, base, cap)[1]
        for i in range(10_000)
    ]
    assert waits.count(cap) / 10_000 == pytest.approx((3 * previous - cap) / (3 * previous - base), abs=1e-4)
