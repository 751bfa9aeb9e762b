"""Which jobs a worker drops: exactly the expired ones, and those of a standing queue."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demo_workers.policies.admission import TAKE, Taker

TARGET_S, INTERVAL_S = 0.1, 1.0
codel = TAKE["codel"]
times = st.floats(0, 3600)
waits = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 1)), max_size=200)


@given(times, times, st.one_of(st.just(math.inf), times))
@example(10.0, 1.0, 10.0)
@example(10.1, 1.0, 10.0)
def test_drop_expired_drops_exactly_the_expired(now: float, waited_s: float, expires_s: float) -> None:
    """``all`` drops nothing; neither remembers anything."""
    given_ = (Taker(), now, waited_s, expires_s, TARGET_S, INTERVAL_S)
    assert TAKE["drop_expired"](*given_) == (Taker(), now > expires_s)
    assert TAKE["all"](*given_) == (Taker(), False)


@given(waits, st.floats(0.001, 0.5))
def test_codel_drops_nothing_while_the_delay_is_below_its_target(
    story: list[tuple[float, float]], target: float
) -> None:
    """Nor for the first interval after it was."""
    state, now, below_at_s = Taker(), 0.0, 0.0
    for passed_s, waited_s in story:
        now += passed_s
        state, dropped = codel(state, now, waited_s, math.inf, target, INTERVAL_S)
        if waited_s < target:
            below_at_s = now
        assert not (dropped and (waited_s < target or now - below_at_s < INTERVAL_S))


def drops(seconds: float, waited_s: float, *, every_s: float, state: Taker | None = None) -> list[float]:
    """When jobs are dropped, where one comes every ``every_s`` and all waited equally long."""
    found, state = [], state or Taker()
    for n in range(int(seconds / every_s)):
        state, dropped = codel(state, n * every_s, waited_s, math.inf, TARGET_S, INTERVAL_S)
        if dropped:
            found.append(n * every_s)
    return found


@given(st.floats(TARGET_S, 60), st.floats(0.001, 0.3))
def test_a_standing_queue_is_noticed_within_an_interval(waited_s: float, every_s: float) -> None:
    """The first job that is taken an interval after the delay rose is dropped."""
    assert INTERVAL_S <= drops(3.0, waited_s, every_s=every_s)[0] <= INTERVAL_S + every_s + 1e-9


def test_the_gaps_between_drops_shrink_as_one_over_the_square_root() -> None:
    """The n-th gap is interval/√n: the first after one interval, the hundredth ten times as short."""
    at = drops(40.0, 1.0, every_s=1e-3)
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert len(gaps) > 100
    assert gaps[:100] == pytest.approx([INTERVAL_S / math.sqrt(n) for n in range(1, 101)], abs=2.1e-3)


def test_a_queue_that_stands_again_soon_is_met_where_it_was_left() -> None:
    """Within sixteen intervals the count goes on; later it begins anew."""

    def second_gap(pause_s: float) -> float:
        state, now = Taker(), 0.0
        at: list[float] = []
        for start, stop, waited_s in ((0, 10, 1.0), (10, 10 + pause_s, 0.0), (10 + pause_s, 20 + pause_s, 1.0)):
            now = max(now, start)
            while now < stop:
                state, dropped = codel(state, now, waited_s, math.inf, TARGET_S, INTERVAL_S)
                at += [now] if dropped else []
                now += 0.01
        again = [when for when in at if when > 10 + pause_s]
        return again[1] - again[0]

    assert second_gap(2.0) < 0.4 * INTERVAL_S
    assert second_gap(30.0) == pytest.approx(INTERVAL_S, abs=0.02)
