"""The machine repairman against its balance equations, its bounds and the law of response times."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError
from lessons.theory import closed_loop, mmck
from tests.lessons.theory import balance


def exact(clients: int, think_s: float, service_s: float, workers: int, limit: int) -> balance.Solved:
    """The chain with (N − n)/Z arrivals per second, in fractions."""
    most = min(clients, limit)
    births = [(clients - n) / Fraction(think_s) for n in range(most + 1)]
    return balance.solve(births[:-1], births[-1], Fraction(service_s), workers)


def test_it_solves_the_balance_equations() -> None:
    """For 200 random loops, half of them with a limit, averages agree to 1e-9 with the exact solution."""
    draw = random.Random(31)
    for i in range(200):
        clients, workers = draw.randint(1, 40), draw.randint(1, 8)
        think_s, service_s = 10 ** draw.uniform(-2, 2), 10 ** draw.uniform(-2, 1)
        limit = draw.randint(1, 40) if i % 2 else None
        found = closed_loop.steady_state(clients, think_s, service_s, workers, limit)
        wanted = exact(clients, think_s, service_s, workers, limit or clients)
        for name in ("p_wait", "p_block", "backlog", "in_service", "throughput", "wait_s"):
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-9, abs=1e-13), (i, name)


def test_the_sojourn_is_the_phase_type_distribution() -> None:
    """P(sojourn > t) agrees with a matrix exponential from what an arriving client sees."""
    for clients, think_s, workers in ((10, 1.0, 3), (20, 0.2, 3), (30, 5.0, 1), (4, 1.0, 6)):
        found = closed_loop.steady_state(clients, think_s, 0.5, workers)
        seen = exact(clients, think_s, 0.5, workers, clients).seen
        assert found.sojourn is not None
        for q in (0.1, 0.5, 0.95, 0.99):
            left = balance.survival(seen, 0.5, workers, found.sojourn_quantile(q))
            assert left == pytest.approx(1 - q, rel=1e-8)


@given(st.integers(1, 2000), st.floats(0, 100), st.floats(1e-3, 10), st.integers(1, 50))
def test_the_loop_closes_and_keeps_within_its_bounds(clients: int, think_s: float, service_s: float, c: int) -> None:
    """N = X(Z + W), X is at most both bounds, W at least its own."""
    found = closed_loop.steady_state(clients, think_s, service_s, c)
    best = closed_loop.bounds(clients, think_s, service_s, c)
    assert found.throughput * (think_s + found.sojourn_s) == pytest.approx(clients, rel=1e-9)
    assert found.throughput <= best.throughput * (1 + 1e-9)
    assert found.sojourn_s >= best.sojourn_s * (1 - 1e-9)
    assert found.p_block == 0


def test_the_knee() -> None:
    """N* = c(Z + S)/S: far below it throughput is the clients', far above it the workers'."""
    knee = closed_loop.bounds(1, 1.0, 0.05, 3).knee
    assert knee == pytest.approx(63)
    assert closed_loop.steady_state(6, 1.0, 0.05, 3).throughput == pytest.approx(6 / 1.05, rel=1e-3)
    assert closed_loop.steady_state(630, 1.0, 0.05, 3).throughput == pytest.approx(60, rel=1e-9)


def test_it_never_shows_an_overload() -> None:
    """Ten thousand clients ask for twice what the workers can do, and offered is never above carried."""
    found = closed_loop.steady_state(10_000, 83.0, 0.05, 3)
    assert found.throughput == found.arrival_rate
    assert found.offered_utilization <= 1
    assert found.offered_utilization == pytest.approx(1, rel=1e-6)


def test_clients_who_do_not_think_are_always_inside() -> None:
    """With Z = 0 the others are all there: it is the limit of very short thinking."""
    none, short = (closed_loop.steady_state(50, think_s, 0.05, 3) for think_s in (0.0, 1e-9))
    assert none.in_system == pytest.approx(50)
    assert none.p_wait == 1
    assert none.wait_s == pytest.approx(47 * 0.05 / 3)
    for name in ("throughput", "backlog", "wait_s", "p_wait"):
        assert getattr(none, name) == pytest.approx(getattr(short, name), rel=1e-6)
    assert none.sojourn_quantile(0.95) == pytest.approx(short.sojourn_quantile(0.95), rel=1e-6)
    few = closed_loop.steady_state(2, 0.0, 0.05, 3)
    assert (few.p_wait, few.throughput) == (0, pytest.approx(40))


def test_very_many_clients_who_think_very_long_are_an_open_loop() -> None:
    """A hundred thousand clients at 60 per second together meet what M/M/c/K says."""
    closed = closed_loop.steady_state(100_000, 100_000 / 60, 0.05, 3, 9)
    open_ = mmck.steady_state(60.0, 0.05, 3, 9)
    for name in ("p_block", "p_wait", "backlog", "wait_s", "throughput"):
        assert getattr(closed, name) == pytest.approx(getattr(open_, name), rel=1e-3)


@pytest.mark.parametrize(
    ("loop", "name"),
    [
        ((0, 1.0, 0.05, 3, None), "clients"),
        ((100_001, 1.0, 0.05, 3, None), "clients"),
        ((10, -1.0, 0.05, 3, None), "think_time_s"),
        ((10, 0.0, 0.05, 3, 9), "think_time_s"),
        ((10, 1.0, 0.0, 3, None), "service_time_s"),
        ((10, 1.0, 0.05, 0, None), "workers"),
        ((10, 1.0, 0.05, 3, 0), "limit"),
    ],
)
def test_what_makes_no_sense_is_told(loop: tuple[int, float, float, int, int | None], name: str) -> None:
    """The error names the argument, also for the bounds."""
    with pytest.raises(ScenarioError, match=f"^{name} = "):
        closed_loop.steady_state(*loop)
    if name != "limit" and loop[4] is None and loop[0] != 100_001:
        with pytest.raises(ScenarioError, match=f"^{name} = "):
            closed_loop.bounds(*loop[:4])
