"""The twin plays a scenario: same seed same bytes, books that balance, and what theory says."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from demo_workers.records import tables
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from lessons.twin.simulate import simulate
from tests.lessons.twin.scenarios import books_hold, scenarios


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios)
def test_every_run_balances_and_repeats(scenario: Scenario) -> None:
    """Whatever the scenario: the same seed gives the same bytes, and only ``naive`` can break the books."""
    first, second = (simulate(scenario, engine="python") for _ in range(2))
    assert books_hold(first), first.ledger.table()
    assert first.events.tobytes() == second.events.tobytes()


def test_another_seed_is_another_run() -> None:
    """The check above can fail: two seeds do not give the same bytes."""
    runs = [simulate(Scenario(load=Load(arrival_rate=50, duration_s=5), seed=seed)) for seed in (1, 2)]
    assert runs[0].events.tobytes() != runs[1].events.tobytes()


@pytest.mark.parametrize("workers", [0, 1])
def test_clients_that_never_think_do_not_hold_time_still(workers: int) -> None:
    """A closed loop without think time whose requests are refused at once comes to its end."""
    run = simulate(
        Scenario(
            load=Load(kind="closed", clients=3, think_time_s=0.0, duration_s=1),
            service=Service(workers=workers),
            admission=Admission(policy="reject", limit=1),
            retry=Retry(policy="none"),
        ),
        engine="python",
    )
    assert run.ledger.balanced
    began = [row for row in run.events if row["kind"] == run.events["kind"][0]]
    assert len(began) <= 3 * 1001


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios)
def test_the_tables_are_those_that_its_events_make(scenario: Scenario) -> None:
    """The short cut from the engine's rows to attempts and executions gives the same bytes as the long way round."""
    run = simulate(scenario, engine="python")
    assert run.attempts.tobytes() == tables.attempts(run.events).tobytes()
    assert run.executions.tobytes() == tables.executions(run.events).tobytes()


def test_a_copy_of_a_run_is_what_its_events_say() -> None:
    """With other fields, or sent to another process."""
    run = simulate(Scenario(load=Load(arrival_rate=50, duration_s=2), admission=Admission(limit=4)))
    for copy in (replace(run, source="replay"), pickle.loads(pickle.dumps(run))):  # noqa: S301  # our own, of a moment ago
        assert copy.measures == run.measures
        assert copy.attempts.tobytes() == run.attempts.tobytes()
    fewer = replace(run, events=run.events[: len(run.events) // 2])
    assert len(fewer.attempts) < len(run.attempts)
