"""M/M/c/K against its balance equations, a textbook's example, and at its extremes."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError
from lessons.theory import mmc, mmck
from tests.lessons.theory import balance

SEED = 20261124


def some_queues(count: int, most_places: int = 40) -> list[tuple[float, float, int, int]]:
    """Arrival rate, service time, workers, limit: light and overloaded ones, small and larger."""
    draw = random.Random(SEED)
    queues = []
    for _ in range(count):
        workers = draw.randint(1, 12)
        limit = workers + draw.randint(0, most_places)
        service_s = 10 ** draw.uniform(-3, 1)
        queues.append((draw.uniform(0, 3) * workers / service_s, service_s, workers, limit))
    return queues


def test_it_solves_the_balance_equations() -> None:
    """For 250 random queues every average agrees to 1e-9 with the exact solution in fractions."""
    for queue in some_queues(250):
        found, exact = mmck.steady_state(*queue), balance.open_queue(*queue)
        for name in ("p_wait", "p_block", "backlog", "in_service", "throughput", "wait_s"):
            assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=1e-9, abs=1e-300), (queue, name)


def test_it_solves_the_global_balance() -> None:
    """A linear system of the generator, which knows no births and deaths, has the same full state and mean."""
    for queue in some_queues(60):
        found, p = mmck.steady_state(*queue), balance.global_balance(*queue)
        assert found.p_block == pytest.approx(p[-1], rel=1e-9, abs=1e-12), queue
        assert found.in_system == pytest.approx(sum(n * share for n, share in enumerate(p)), rel=1e-9), queue


def test_the_sojourn_is_the_phase_type_distribution() -> None:
    """P(sojourn > t) agrees with a matrix exponential, and a quantile leaves just its share beyond it."""
    for queue in some_queues(40, most_places=15):
        found, exact = mmck.steady_state(*queue), balance.open_queue(*queue)
        assert found.sojourn is not None
        for times in (0.1, 0.5, 1.0, 2.0, 4.0):
            t = times * found.sojourn_s
            wanted = balance.survival(exact.seen, queue[1], queue[2], t)
            assert found.sojourn.survival(t) == pytest.approx(wanted, rel=1e-9, abs=1e-12), queue
        for q in (0.5, 0.95, 0.99, 0.999):
            left = balance.survival(exact.seen, queue[1], queue[2], found.sojourn_quantile(q))
            assert left == pytest.approx(1 - q, rel=1e-8), queue


def test_the_mean_of_the_distribution_is_the_mean() -> None:
    """The area under P(sojourn > t), by trapezoids, is the mean sojourn that Little's law gives."""
    for queue in some_queues(10):
        found = mmck.steady_state(*queue)
        assert found.sojourn is not None
        end = found.sojourn_quantile(1 - 1e-9)
        heights = [found.sojourn.survival(end * i / 4000) for i in range(4001)]
        area = end / 4000 * (sum(heights) - (heights[0] + heights[-1]) / 2)
        assert area == pytest.approx(found.sojourn_s, rel=1e-4)
        assert found.in_system == pytest.approx(found.throughput * found.sojourn_s)


def test_the_inspection_station() -> None:
    """Three stalls, room for four more, a car a minute, six minutes each.

    Source: Gross, Shortle, Thompson and Harris, "Fundamentals of Queueing Theory", the example of the automobile
    emission inspection station: Lq = 3.09, L = 6.06, 30.3 cars per hour turned away.
    """
    found = mmck.steady_state(1.0, 6.0, 3, 7)
    assert found.backlog == pytest.approx(3.09, abs=0.005)
    assert found.in_system == pytest.approx(6.06, abs=0.005)
    assert 60 * found.shed_rate == pytest.approx(30.3, abs=0.05)


def test_one_worker_at_full_load_refuses_one_in_k_plus_one() -> None:
    """M/M/1/K at ρ = 1: all states are equally likely."""
    for limit in (1, 2, 10, 1000, 1_000_000):
        found = mmck.steady_state(20.0, 0.05, 1, limit)
        assert found.p_block == pytest.approx(1 / (limit + 1))
        assert found.in_system == pytest.approx(limit / 2)


@pytest.mark.parametrize("workers", [1, 3, 1000])
@pytest.mark.parametrize("limit", [1000, 1_000_000])
def test_nothing_jumps_at_full_load(workers: int, limit: int) -> None:
    """At ρ = 1 ± 1e-12 all averages and the median are those at ρ = 1."""
    rate = workers / 0.05
    middle = mmck.steady_state(rate, 0.05, workers, limit)
    for factor in (1 - 1e-12, 1 + 1e-12):
        beside = mmck.steady_state(rate * factor, 0.05, workers, limit)
        for name in ("p_wait", "p_block", "backlog", "wait_s", "throughput"):
            assert getattr(beside, name) == pytest.approx(getattr(middle, name), rel=1e-6)
        assert beside.sojourn_quantile(0.5) == pytest.approx(middle.sojourn_quantile(0.5), rel=1e-6)


@pytest.mark.parametrize("workers", [1, 7, 1000])
@pytest.mark.parametrize("limit", [1000, 1_000_000])
@pytest.mark.parametrize("rho", [0.0, 1e-9, 0.5, 0.999, 1.0, 1.001, 2.0, 10.0])
def test_the_extremes_are_finite_and_keep_the_laws(workers: int, limit: int, rho: float) -> None:
    """No overflow, no NaN; probabilities in [0, 1]; Little's law; the quantiles in order."""
    found = mmck.steady_state(rho * workers / 0.05, 0.05, workers, limit)
    assert 0 <= found.p_block <= 1
    assert 0 <= found.p_wait <= 1
    assert found.backlog == pytest.approx(found.throughput * found.wait_s, rel=1e-9, abs=1e-12)
    assert found.in_system <= limit * (1 + 1e-12)
    assert found.p_block >= 1 - 1 / rho - 1e-12 if rho else found.p_block == 0
    p50, p95, p99 = (found.sojourn_quantile(q) for q in (0.5, 0.95, 0.99))
    assert 0 < p50 < p95 < p99 < math.inf


def test_under_overload_more_room_only_adds_waiting() -> None:
    """At ρ = 1.3 throughput tends to cμ and refusals to 1 − 1/ρ, while the wait grows with the limit."""
    small, large = mmck.steady_state(78.0, 0.05, 3, 50), mmck.steady_state(78.0, 0.05, 3, 5000)
    assert small.throughput == pytest.approx(60, rel=1e-4)
    assert large.throughput == pytest.approx(60, rel=1e-12)
    assert large.p_block == pytest.approx(1 - 1 / 1.3)
    assert large.wait_s > 90 * small.wait_s


def test_a_limit_that_is_never_reached_is_no_limit() -> None:
    """With ρ = 0.8 and room for ten thousand, averages and quantiles are those of M/M/c."""
    for workers in (1, 2, 5, 30):
        limited = mmck.steady_state(0.8 * workers, 1.0, workers, 10_000)
        free = mmc.steady_state(0.8 * workers, 1.0, workers)
        for name in ("p_wait", "backlog", "wait_s", "throughput"):
            assert getattr(limited, name) == pytest.approx(getattr(free, name), rel=1e-9)
        for q in (0.01, 0.5, 0.95, 0.99, 0.99999):
            assert limited.sojourn_quantile(q) == pytest.approx(free.sojourn_quantile(q), rel=1e-8)


def test_a_limit_below_the_workers_leaves_some_idle() -> None:
    """K = 2 with five workers refuses and serves as two workers do, and is used by two fifths at most."""
    found, two = mmck.steady_state(100.0, 0.05, 5, 2), mmck.steady_state(100.0, 0.05, 2, 2)
    assert (found.p_block, found.throughput) == (two.p_block, two.throughput)
    assert found.utilization == pytest.approx(two.utilization * 2 / 5)
    assert found.wait_s == 0


@given(st.floats(0, 10), st.integers(1, 200), st.integers(0, 5000), st.floats(1e-3, 10.0), st.floats(1.001, 3.0))
def test_more_load_never_helps(rho: float, workers: int, room: int, service_s: float, factor: float) -> None:
    """With more arrivals more are refused, more wait, and throughput does not fall."""
    rate = rho * workers / service_s
    light = mmck.steady_state(rate, service_s, workers, workers + room)
    heavy = mmck.steady_state(rate * factor, service_s, workers, workers + room)
    for name in ("p_block", "p_wait", "backlog", "wait_s", "throughput"):
        assert getattr(heavy, name) >= getattr(light, name) * (1 - 1e-9)


@given(st.floats(0, 10), st.integers(1, 50), st.integers(0, 2000), st.floats(0.001, 0.999))
def test_a_quantile_is_where_its_share_is_done(rho: float, workers: int, room: int, q: float) -> None:
    """P(sojourn ≤ quantile(q)) = q."""
    sojourn = mmck.steady_state(rho * workers, 1.0, workers, workers + room).sojourn
    assert sojourn is not None
    assert sojourn.within(sojourn.quantile(q)) == pytest.approx(q, rel=1e-8)


@pytest.mark.parametrize(
    ("queue", "name"),
    [
        ((-1.0, 0.05, 3, 9), "arrival_rate"),
        ((math.nan, 0.05, 3, 9), "arrival_rate"),
        ((math.inf, 0.05, 3, 9), "arrival_rate"),
        (("40", 0.05, 3, 9), "arrival_rate"),
        ((40.0, 0.0, 3, 9), "service_time_s"),
        ((40.0, 0.05, 0, 9), "workers"),
        ((40.0, 0.05, 2.5, 9), "workers"),
        ((40.0, 0.05, True, 9), "workers"),
        ((40.0, 0.05, 3, 0), "limit"),
        ((40.0, 0.05, 3, 1_000_001), "limit"),
        ((40.0, 0.05, 3, None), "limit"),
    ],
)
def test_what_makes_no_sense_is_told(queue: tuple[float, float, int, int], name: str) -> None:
    """The error names the argument."""
    with pytest.raises(ScenarioError, match=rf"^{name} = ") as caught:
        mmck.steady_state(*queue)
    assert caught.value.remedy


@pytest.mark.parametrize("q", [-0.1, 1.0, 1.5, math.nan])
def test_a_quantile_is_asked_for_by_a_share(q: float) -> None:
    """Below 0 and at 1 there is none."""
    with pytest.raises(ScenarioError, match=r"^q = "):
        mmck.steady_state(40.0, 0.05, 3, 9).sojourn_quantile(q)
