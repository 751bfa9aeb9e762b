"""Adaptive throttling lets about k times as much through as is accepted, and all of it while most is accepted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.adaptive_throttling import Throttle, allow, chance, record


def let_through(seed: int, rate: float, accepted_rate: float, k: float, window_s: float, seconds: int = 200) -> float:
    """Attempts per second that go out, in the second half of a run; a server accepts at most ``accepted_rate``."""
    dice, state, sent = random.Random(seed), Throttle(), 0
    tokens = 0.0
    steps = int(rate * seconds)
    for n in range(steps):
        now = n / rate
        tokens = min(1.0 + accepted_rate, tokens + accepted_rate / rate)
        state, allowed = allow(state, now, dice.random(), k, window_s)
        if not allowed:
            continue
        accepted = tokens >= 1.0
        tokens -= accepted
        state = record(state, now, accepted, window_s)
        sent += n >= steps / 2
    return sent / (seconds / 2)


@pytest.mark.parametrize("k", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("accepted", [5.0, 15.0, 40.0])
def test_in_the_long_run_k_times_the_accepted_goes_out(k: float, accepted: float) -> None:
    """Or all that is offered, where that is less."""
    rate = 60.0
    for seed in (1, 2, 3):
        assert let_through(seed, rate, accepted, k, 10.0) == pytest.approx(min(rate, k * accepted), rel=0.1)


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(1, 100), st.floats(0.1, 600), st.floats(0, 3600))
def test_the_chance_is_the_books(requests: float, share: float, k: float, window_s: float, now: float) -> None:
    """max(0, (requests − k · accepts) / (requests + 1)); never all, and nothing while one in k is accepted."""
    accepts = share * requests
    found = chance(Throttle(requests, accepts, now), now, k, window_s)
    assert found == pytest.approx(max(0.0, (requests - k * accepts) / (requests + 1)))
    assert 0 <= found < 1
    assert found == 0 or k * accepts < requests


@given(st.floats(0, 0.999), st.floats(1, 10))
def test_a_window_of_silence_lets_the_next_ones_through(u: float, k: float) -> None:
    """What was refused long ago does not hold anything back."""
    state = Throttle(1000.0, 0.0, 0.0)
    assert chance(state, 0.0, k, 10.0) > 0.99
    assert allow(state, 200.0, max(u, 1e-5), k, 10.0)[1]


def test_attempts_held_back_count_as_wanted() -> None:
    """Otherwise the client would believe its own silence."""
    state, allowed = allow(Throttle(100.0, 0.0, 0.0), 0.0, 0.0, 2.0, 10.0)
    assert not allowed
    assert state == Throttle(101.0, 0.0, 0.0)


def test_at_a_steady_rate_the_sums_are_those_of_the_window() -> None:
    """Rate times window."""
    state = Throttle()
    for n in range(20 * 100):
        state, _ = allow(state, n / 20, 0.5, 2.0, 10.0)
        state = record(state, n / 20, True, 10.0)
    assert (state.requests, state.accepts) == pytest.approx((200, 200), rel=0.01)
