"""The retry budget never pays for more than was earned, and forgets what was earned long ago."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.retry_budget import WORTH_S, RetryBudget, earn, left, spend

steps = st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["request", "retry", "retry", "retry"])), max_size=150)
ratios = st.floats(0, 2)
floors = st.floats(0, 20)


@given(steps, ratios, floors)
def test_retries_are_at_most_what_was_earned(happened: list[tuple[float, str]], ratio: float, floor: float) -> None:
    """Retries ≤ ratio · requests + floor · (time + the seconds of floor it starts with)."""
    state, now, requests, retries = RetryBudget(), 0.0, 0, 0
    for passed_s, what in happened:
        now += passed_s
        if what == "request":
            state, requests = earn(state, now, ratio, floor), requests + 1
        else:
            state, allowed = spend(state, now, ratio, floor)
            retries += allowed
        assert state.tokens >= 0
        assert retries <= ratio * requests + floor * (now + WORTH_S) + 1e-6


@given(steps, ratios, floors)
def test_one_retry_is_paid_for_where_one_is_left(happened: list[tuple[float, str]], ratio: float, floor: float) -> None:
    """``spend`` says yes exactly where ``left`` says one or more, and then takes one."""
    state, now = RetryBudget(), 0.0
    for passed_s, what in happened:
        now += passed_s
        if what == "request":
            state = earn(state, now, ratio, floor)
            continue
        before = left(state, now, ratio, floor)
        state, allowed = spend(state, now, ratio, floor)
        assert allowed == (before >= 1 - 1e-9)
        assert left(state, now, ratio, floor) == pytest.approx(max(0.0, before - allowed))


@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("floor", [0.0, 0.05, 1.0, 5.0])
def test_in_an_outage_all_that_is_earned_is_spent(ratio: float, floor: float) -> None:
    """Where every request wants many retries, they are ratio · requests + floor · time: nothing is lost on the way."""
    state, retries, requests, rate = RetryBudget(), 0, 4000, 50
    for n in range(requests):
        now = n / rate
        state = earn(state, now, ratio, floor)
        for _ in range(10):
            state, allowed = spend(state, now, ratio, floor)
            retries += allowed
    assert retries == pytest.approx(ratio * requests + floor * (requests / rate + WORTH_S), abs=2)


def test_what_was_earned_long_ago_is_forgotten() -> None:
    """At a steady rate with no retries ten seconds' worth is saved; an hour later only the floor's is left."""
    state, ratio, floor, rate = RetryBudget(), 0.2, 1.0, 40
    for n in range(60 * rate):
        state = earn(state, n / rate, ratio, floor)
    assert left(state, 60.0, ratio, floor) == pytest.approx((ratio * rate + floor) * WORTH_S, rel=0.05)
    assert left(state, 3660.0, ratio, floor) == pytest.approx(floor * WORTH_S)
    assert left(state, 3660.0, ratio, 0.0) == pytest.approx(0.0)


def test_without_ratio_and_floor_there_is_no_retry() -> None:
    """A ratio of 0 and a floor of 0 forbid retries altogether."""
    state = earn(RetryBudget(), 5.0, 0.0, 0.0)
    assert not spend(state, 6.0, 0.0, 0.0)[1]


def test_a_slow_floor_pays_all_the_same() -> None:
    """One retry in 20 seconds, though less than one is saved in ten; and not two after a long silence."""
    state, retries = RetryBudget(), 0
    for n in range(2001):
        state, allowed = spend(state, n / 10, 0.0, 0.05)
        retries += allowed
    assert retries == 10
    assert left(state, 5000.0, 0.0, 0.05) == 1
