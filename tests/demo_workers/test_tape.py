"""The tape is a function of scenario, seed and steering."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.scenario import MAX_RATE, MAX_SERVICE_S, Distribution, Load, LoadKind, Scenario, Service
from demo_workers.tape import Tape, profile, service_time
from demo_workers.variates import Stream, variate, variates

STEPS = ((2.0, 150.0), (5.0, 0.0), (7.0, 80.0))


def scenario(kind: LoadKind, seed: int = 7, duration_s: float = 10.0, rate: float = 100.0) -> Scenario:
    """A load of the given kind."""
    load = Load(kind=kind, arrival_rate=rate, duration_s=duration_s, steps=STEPS, ramp_to_rate=300, spike_rate=400)
    return Scenario(load=load, seed=seed)


@pytest.mark.parametrize("kind", ["poisson", "uniform", "steps", "ramp", "spike"])
def test_the_same_seed_plays_the_same_tape(kind: LoadKind) -> None:
    """Same scenario, same requests, to the last bit; another seed, others."""
    assert list(Tape(scenario(kind))) == list(Tape(scenario(kind)))
    assert list(Tape(scenario(kind))) != list(Tape(scenario(kind, seed=8)))


@pytest.mark.parametrize("kind", ["poisson", "uniform", "steps", "ramp", "spike"])
@pytest.mark.parametrize("seed", range(5))
def test_as_many_arrive_in_each_stretch_as_its_rate_says(kind: LoadKind, seed: int) -> None:
    """Counts lie within five standard deviations of the integral of the rate."""
    requests = list(Tape(scenario(kind, seed)))
    due = np.array([r.due_s for r in requests])
    assert np.all(np.diff(due) >= 0)
    assert [r.request for r in requests] == list(range(len(requests)))
    for s in profile(scenario(kind).load):
        expected = (s.end_s - s.start_s) * (s.rate + s.rate_end) / 2
        seen = np.sum((due > s.start_s) & (due <= s.end_s))
        assert abs(seen - expected) <= 5 * math.sqrt(expected) + 1


def test_a_ramp_puts_three_quarters_of_a_triangle_into_its_second_half() -> None:
    """From 0 to 2,000 per second, the first half of the time has a quarter of the requests."""
    load = Load(kind="ramp", arrival_rate=0, ramp_to_rate=2000, duration_s=10)
    due = np.array([r.due_s for r in Tape(Scenario(load=load))])
    assert np.mean(due < 5) == pytest.approx(0.25, abs=0.025)


@given(st.integers(0, 2**63 - 1), st.floats(0.5, 9.5), st.floats(0.1, 5))
def test_a_turned_knob_changes_nothing_before_it(seed: int, t: float, factor: float) -> None:
    """Requests before the change are the same; the seed's next one is only moved in time."""
    base = scenario("poisson", seed, rate=20)
    steered = Tape(base)
    before = []
    while steered.due_s <= t:
        before.append(steered.pop())
    steered.steer(t, base.steered(arrival_rate=20 * factor))
    plain = [r for r in Tape(base) if r.due_s <= t]
    assert before == plain
    after = list(steered)
    assert all(r.due_s >= t for r in after)


def test_doubling_the_rate_halves_the_gaps() -> None:
    """Evenly spaced requests come twice as often after the change."""
    tape = Tape(scenario("uniform", rate=10))
    first = [tape.pop().due_s for _ in range(10)]
    tape.steer(first[-1], scenario("uniform", rate=20))
    assert np.diff(first) == pytest.approx(0.1)
    assert np.diff([tape.pop().due_s for _ in range(10)]) == pytest.approx(0.05)


def test_a_rate_of_zero_can_be_steered_to_life_and_back() -> None:
    """Zero is a rate like others."""
    tape = Tape(scenario("poisson", rate=0))
    assert math.isinf(tape.due_s)
    tape.steer(1.0, scenario("poisson", rate=50))
    assert 1.0 < tape.due_s < 2.0
    tape.steer(tape.pop().due_s, scenario("poisson", rate=0))
    assert math.isinf(tape.due_s)
    tape.steer(5.0, scenario("poisson", rate=50))
    assert 5.0 < tape.due_s < 6.0


@pytest.mark.parametrize("rate", [5e-324, 1e-310, 1e-100])
def test_a_rate_of_next_to_nothing_is_as_good_as_zero(rate: float) -> None:
    """However small: from the turn on the new rate is in force."""
    tape = Tape(scenario("poisson", rate=rate))
    tape.steer(1.0, scenario("poisson", rate=50))
    assert 1.0 < tape.due_s < 2.0


@pytest.mark.parametrize("rate", [1e-8, 1e-6])
def test_a_rate_of_almost_zero_does_not_lift_a_spike_to_the_skies(rate: float) -> None:
    """The profile is scaled to no more than the highest rate that a scenario may have."""
    load = Load(kind="spike", arrival_rate=rate, spike_rate=100, spike_start_s=1, spike_length_s=1, duration_s=3)
    tape = Tape(Scenario(load=load))
    tape.steer(0.0, Scenario(load=load).steered(arrival_rate=50.0))
    due_s = np.array([request.due_s for request in tape])
    assert np.all((due_s >= 1) & (due_s <= 2))
    assert len(due_s) == pytest.approx(MAX_RATE, rel=0.2)


def test_an_open_ended_tape_goes_on() -> None:
    """It outlives the scenario's duration at the last rate."""
    tape = Tape(scenario("poisson", duration_s=1), open_ended=True)
    due = [tape.pop().due_s for _ in range(1000)]
    assert due[-1] == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("distribution", ["exponential", "deterministic", "lognormal"])
@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_service_times_have_the_mean_and_cv_they_are_said_to_have(distribution: Distribution, cv: float) -> None:
    """The quantile function integrates to the mean; cv is that of the time itself."""
    service = Service(service_time_s=0.05, distribution=distribution, cv=cv)
    u = (np.arange(200_000) + 0.5) / 200_000
    times = np.array([service_time(service, x) for x in u])
    expected = {"exponential": 1.0, "deterministic": 0.0, "lognormal": cv}[distribution]
    assert times.mean() == pytest.approx(0.05, rel=0.01)
    assert times.std() / times.mean() == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_no_service_time_is_longer_than_the_gateway_takes() -> None:
    """The tail is cut."""
    wide = Service(service_time_s=60, distribution="lognormal", cv=10)
    assert service_time(wide, 1.0) == MAX_SERVICE_S
    assert service_time(Service(service_time_s=60), 1 - 2**-53) == MAX_SERVICE_S


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_variates_are_uniform_and_streams_are_independent(seed: int) -> None:
    """Chi-square over 100 cells, and no correlation between streams, neighbours or sub-indices."""
    n = 20_000
    columns = np.array([[variate(seed, s, i, sub) for i in range(n)] for s in Stream for sub in (0, 1)])
    for column in columns:
        cells = np.bincount((column * 100).astype(int), minlength=100)
        assert np.sum((cells - n / 100) ** 2 / (n / 100)) < 160  # 99.99 % point of chi-square with 99 degrees
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.max(np.abs(correlation)) < 5 / math.sqrt(n)
    assert abs(np.corrcoef(columns[0][1:], columns[0][:-1])[0, 1]) < 5 / math.sqrt(n)


@given(st.integers(0, 2**63 - 1), st.sampled_from(list(Stream)), st.lists(st.integers(0, 2**31 - 1), max_size=20))
def test_many_variates_at_once_are_the_same_ones(seed: int, stream: Stream, indices: list[int]) -> None:
    """To the last bit."""
    assert variates(seed, stream, np.array(indices, np.int64)).tolist() == [variate(seed, stream, i) for i in indices]
