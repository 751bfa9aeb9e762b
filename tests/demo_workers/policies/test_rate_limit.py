"""The rate limit lets in a burst and then a steady rate, and its waits are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.rate_limit import RateLimit, take

rates = st.floats(0.1, 2000)
bursts = st.floats(1, 100)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=120), rates, bursts)
def test_any_window_lets_in_at_most_burst_and_rate_times_window(gaps: list[float], rate: float, burst: float) -> None:
    """Between any two admitted requests, those two included."""
    state, now = RateLimit(), 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap / rate
        state, wait_s = take(state, now, rate, burst)
        if wait_s == 0:
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + rate * (admitted[last] - start) + 1e-4


@given(st.lists(st.floats(0, 2), max_size=50), rates, bursts, st.floats(0, 3600))
def test_who_comes_back_when_told_is_let_in(gaps: list[float], rate: float, burst: float, now: float) -> None:
    """And not much earlier; being told to wait takes no token."""
    state = RateLimit()
    for gap in gaps:
        now += gap / rate
        state, wait_s = take(state, now, rate, burst)
        if wait_s:
            assert wait_s <= 1 / rate + 1e-9
            assert take(state, now + wait_s, rate, burst)[1] == 0
            assert take(state, now + 0.99 * wait_s - 1e-8, rate, burst)[1] > 0


@pytest.mark.parametrize("burst", [1, 3, 10])
def test_a_full_bucket_is_a_burst(burst: int) -> None:
    """So many at once, then one every 1/rate seconds; after a silence it is full again."""
    state = RateLimit()
    for start in (0.0, 1000.0):
        waits = []
        for _ in range(burst + 1):
            state, wait_s = take(state, start, 4.0, float(burst))
            waits.append(wait_s)
        assert waits == [0.0] * burst + [0.25]
