"""The plain queue is played the short way, and nobody can tell by its record."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from lessons.twin import Overheads, simulate
from lessons.twin.plain import is_plain
from tests.lessons.twin.scenarios import loads, services

plain = st.builds(
    Scenario,
    load=loads.filter(lambda load: load.kind != "closed"),
    service=services,
    admission=st.builds(Admission, limit=st.none() | st.integers(1, 20)),
    retry=st.just(Retry()) | st.just(Retry(policy="none", attempts=3)),
    seed=st.integers(0, 2**63 - 1),
    drain_s=st.sampled_from([0.0, 0.3, 2.0, 30.0]),
)
overheads = st.builds(Overheads, before_s=st.sampled_from([0.0, 0.004]), after_s=st.sampled_from([0.0, 0.003]))


@pytest.mark.timeout(300)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@example(Scenario(load=Load(arrival_rate=7, duration_s=1.75), service=Service(service_time_s=0.3)), Overheads())
@given(plain, overheads)
def test_the_short_way_writes_the_same_rows(scenario: Scenario, cost: Overheads) -> None:
    """Byte for byte those of the engine, also where two things fall into one moment, work is cut off at the end of
    the drain, or there is no worker; and the measures are those of the tables, to the last bit.
    """
    short, long = (simulate(scenario, overheads=cost, engine=engine) for engine in ("plain", "python"))
    assert short.events.tobytes() == long.events.tobytes()
    assert short.attempts.tobytes() == long.attempts.tobytes()
    assert short.executions.tobytes() == long.executions.tobytes()
    assert short.ledger.balanced
    assert short.measures == long.measures


@pytest.mark.parametrize("limit", [None, 5])
def test_two_things_in_one_moment(limit: int | None) -> None:
    """Evenly spaced arrivals and work of one length meet all the time; who goes first is as in the engine."""
    scenario = Scenario(
        load=Load(kind="uniform", arrival_rate=20, duration_s=8),
        service=Service(service_time_s=0.25, distribution="deterministic", workers=4),
        admission=Admission(limit=limit),
        drain_s=1,
    )
    for cost in (Overheads(), Overheads(before_s=0.25), Overheads(after_s=0.05), Overheads(before_s=0.05, after_s=0.2)):
        runs: list[Run] = [simulate(scenario, overheads=cost, engine=engine) for engine in ("plain", "python")]
        assert runs[0].events.tobytes() == runs[1].events.tobytes()


@pytest.mark.parametrize(
    "more",
    [
        {"load": Load(kind="closed")},
        {"admission": Admission(policy="lifo")},
        {"admission": Admission(policy="drop_expired")},
        {"admission": Admission(policy="adaptive")},
        {"admission": Admission(client_rate=5)},
        {"retry": Retry(attempts=2)},
        {"retry": Retry(timeout_s=1)},
        {"retry": Retry(deadline_s=1)},
        {"retry": Retry(breaker_failures=5)},
        {"retry": Retry(throttle_k=2)},
    ],
)
def test_whatever_else_can_happen_is_not_plain(more: dict[str, object]) -> None:
    """It is refused with the reason; the choice of its own never comes upon it."""
    scenario = Scenario(**more)  # type: ignore[arg-type]  # sections by name
    assert not is_plain(scenario)
    with pytest.raises(ScenarioError, match="engine = 'plain'"):
        simulate(scenario, engine="plain")
    assert simulate(scenario.replace("load.duration_s", 2.0)).ledger.counts["attempts"] > 0


def test_a_million_requests_are_measured_in_a_moment() -> None:
    """Left to itself the twin takes the short way; what it finds is what theory says, to a part in a hundred."""
    rate = 1500.0
    scenario = Scenario(
        load=Load(arrival_rate=rate, duration_s=700),
        service=Service(service_time_s=4 / rate, workers=4),
        admission=Admission(limit=10),
    )
    found = simulate(scenario).measures
    share = [4**k / math.factorial(k) for k in range(5)] + [4**4 / math.factorial(4)] * 6
    assert found.p_block == pytest.approx(share[-1] / sum(share), rel=0.01)
    assert found.in_system == pytest.approx(sum(n * p for n, p in enumerate(share)) / sum(share), rel=0.01)


@pytest.mark.parametrize(
    "cost",
    [
        Overheads(stretch_s=0.001),
        Overheads(pickup_s=0.001),
        Overheads(after_s=0.01, slot_s=0.005),
        Overheads(costs=[(0.001, 0.0, 0.001)]),
        Overheads(pickups_s=[0.001]),
    ],
)
def test_jobs_that_cost_more_than_the_plain_way_knows_go_the_long_one(cost: Overheads) -> None:
    """What was measured of a real machine is not left out."""
    assert not cost.plain
    with pytest.raises(ScenarioError, match="engine = 'plain'"):
        simulate(Scenario(), overheads=cost, engine="plain")
