"""The breaker opens after failures in a row, and one probe at a time decides when it closes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.circuit_breaker import CLOSED, HALF_OPEN, OPEN, POSITIONS, Breaker, allow, record

OPEN_S = 2.0
steps = st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["send", "send", "ok", "fail", "fail"])), max_size=200)


@given(steps, st.integers(1, 5), st.randoms(use_true_random=False))
def test_exactly_one_probe_is_out_while_half_open(
    happened: list[tuple[float, str]], failures: int, dice: object
) -> None:
    """Half-open lasts from the one attempt that it lets through to the end of that one.

    Whatever late answers come meanwhile; attempts end in any order.
    """
    state, now = Breaker(), 0.0
    out: list[float] = []
    for passed_s, what in happened:
        now += passed_s
        if what == "send":
            before = state.position
            state, allowed = allow(state, now, OPEN_S)
            assert allowed == (before == CLOSED or (before == OPEN and state.position == HALF_OPEN))
            if allowed:
                out.append(now)
        elif out:
            sent_s = out.pop(dice.randrange(len(out)))  # type: ignore[attr-defined]
            state = record(state, now, sent_s, what == "fail", failures)
        if state.position == HALF_OPEN:
            assert sum(sent_s >= state.since_s for sent_s in out) == 1
            assert not allow(state, now + 1000, OPEN_S)[1]


@given(st.integers(1, 30))
def test_it_opens_at_the_given_number_of_failures_in_a_row(failures: int) -> None:
    """One less does not; a success between them starts the count anew."""
    state = Breaker()
    for round_ in range(2):
        for n in range(failures - 1):
            state = record(state, float(n), float(n), True, failures)
            assert state.position == CLOSED
        if round_ == 0:
            state = record(state, 1.0, 1.0, False, failures)
    state = record(state, 50.0, 49.0, True, failures)
    assert (state.position, state.since_s) == (OPEN, 50.0)


@given(st.floats(0, 600), st.floats(0.01, 600))
def test_nothing_goes_while_it_is_open(opened: float, open_s: float) -> None:
    """Until ``open_s`` after it opened; the first one then is the probe."""
    state = Breaker(OPEN, 0, opened)
    assert not allow(state, opened + 0.99 * open_s, open_s)[1]
    state, allowed = allow(state, opened + open_s, open_s)
    assert allowed
    assert state.position == HALF_OPEN


def test_the_probe_decides() -> None:
    """Its success closes the breaker, its failure opens it for another ``open_s``."""
    half = Breaker(HALF_OPEN, 0, 10.0)
    assert record(half, 11.0, 10.0, False, 20) == Breaker(CLOSED, 0, 11.0)
    assert record(half, 11.0, 10.0, True, 20) == Breaker(OPEN, 0, 11.0)


def test_answers_from_before_do_not_count() -> None:
    """A late success does not close it while the probe is out; late failures do not open it again once it is closed."""
    half = Breaker(HALF_OPEN, 0, 10.0)
    assert record(half, 10.5, 3.0, False, 1) == half
    closed = Breaker(CLOSED, 0, 11.0)
    assert record(closed, 11.5, 10.9, True, 1) == closed


def test_positions_have_the_names_of_the_field() -> None:
    """As lessons show them."""
    assert [POSITIONS[position] for position in (CLOSED, OPEN, HALF_OPEN)] == ["closed", "open", "half-open"]
