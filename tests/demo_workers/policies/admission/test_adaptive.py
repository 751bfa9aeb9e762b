"""The adaptive limit stays in its bounds, shrinks when jobs take longer, and recovers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.admission.adaptive import FIRST, LEAST, MOST, Adaptive, limit, observe

jobs = st.lists(st.tuples(st.floats(0, 60), st.integers(0, 1000)), max_size=300)


def after(count: int, sojourn_s: float, state: Adaptive | None = None, *, tolerance: float = 2.0) -> Adaptive:
    """The state after so many jobs that took about so long, in a system that is full."""
    state = state or Adaptive()
    dice = random.Random(count)
    for _ in range(count):
        state = observe(state, 0.0, sojourn_s * dice.uniform(0.9, 1.1), int(limit(state)), tolerance)
    return state


@given(jobs, st.floats(1, 100))
def test_it_stays_between_its_bounds(story: list[tuple[float, int]], tolerance: float) -> None:
    """Whatever jobs take, no time at all included."""
    state = Adaptive()
    for sojourn_s, in_flight in story:
        state = observe(state, 0.0, sojourn_s, in_flight, tolerance)
        assert LEAST <= limit(state) <= MOST


@given(jobs, st.floats(1, 100))
def test_it_does_not_grow_where_it_is_not_used(story: list[tuple[float, int]], tolerance: float) -> None:
    """Jobs that met less than half of the limit give no reason to raise it."""
    state = Adaptive()
    for sojourn_s, _ in story:
        then = observe(state, 0.0, sojourn_s, int(limit(state) / 2 - 0.5), tolerance)
        assert limit(then) <= limit(state)
        state = then


@pytest.mark.parametrize("tolerance", [1.0, 2.0, 4.0])
def test_it_shrinks_when_sojourns_rise_and_recovers_when_they_fall(tolerance: float) -> None:
    """Below its start within a few queues' worth of jobs, and back again."""
    quiet = after(30, 0.05)
    assert limit(quiet) >= FIRST
    crowded = after(100, 0.05 * 5 * tolerance, quiet, tolerance=tolerance)
    assert limit(crowded) < FIRST / 2
    assert limit(after(100, 0.05, crowded, tolerance=tolerance)) > FIRST


def test_sojourns_within_the_tolerance_leave_room_to_grow() -> None:
    """Twice the quiet sojourn is tolerated where the tolerance is 3, and is not where it is 1."""
    quiet = after(30, 0.05)
    assert limit(after(200, 0.1, quiet, tolerance=3.0)) > limit(quiet)
    assert limit(after(200, 0.1, quiet, tolerance=1.0)) < limit(quiet)


def test_a_long_overload_is_not_taken_for_normal() -> None:
    """The quiet sojourn is the same after thousands of jobs in a full system."""
    quiet = after(30, 0.05)
    # five workers: the sojourn follows the limit
    state = quiet
    for _ in range(20_000):
        state = observe(state, 0.0, 0.05 * max(1.0, limit(state) / 5), int(limit(state)), 2.0)
    assert state.quiet_s == pytest.approx(quiet.quiet_s)
    assert 5 < limit(state) < FIRST
