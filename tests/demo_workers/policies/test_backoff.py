"""Each backoff policy keeps to its support, mean and ceiling, exactly."""

from __future__ import annotations

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
    """none waits 0, fixed the base, exponential the ceiling, whatever u is."""
    for u in (0.0, 0.3, 0.999):
        assert POLICIES["immediate"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == 0
        assert POLICIES["fixed"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == 0.1
        assert POLICIES["exponential"](BackoffState(3), 0.0, u, 0.1, 1.0)[1] == pytest.approx(0.8)
