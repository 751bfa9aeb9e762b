"""Cutting a sweep into pieces and putting the answers together."""

from __future__ import annotations

import random

import numpy as np
import pytest

from demo_workers.errors import ScenarioError
from demo_workers.scenario import Load, Scenario, Service
from lessons.sweeps.plan import PIECES, Answer, Gathering, Plan, SweepError, Swept, expected_requests
from lessons.twin import replicate, simulate
from lessons.twin.family import seeds_of
from tests.lessons.sweeps.scenarios import broken, some

MEASURED = replicate(Scenario(load=Load(duration_s=1)), 1).measures[0].to_dict()


def plan(scenarios: list[Scenario], replications: int = 3) -> Plan:
    """A plan without overheads."""
    return Plan(scenarios=scenarios, replications=replications)


def answered(length: int, mark: float) -> Answer:
    """An answer whose measures can be told from others."""
    return Answer(measures=[MEASURED | {"throughput": mark + i} for i in range(length)], invariants={"adds up": True})


@pytest.mark.parametrize(("n", "replications"), [(1, 1), (1, 1000), (7, 13), (300, 3), (2, 129)])
def test_every_replication_is_in_one_piece(n: int, replications: int) -> None:
    """Each scenario's seeds come once, in order, and the pieces are not many more than the scenarios ask for."""
    made = plan(some(n), replications)
    for index, scenario in enumerate(made.scenarios):
        mine = made.pieces[index * made.pieces_each : (index + 1) * made.pieces_each]
        assert [seed for piece in mine for seed in piece.seeds] == seeds_of(scenario.seed, replications)
        assert all(Scenario.from_dict(piece.scenario) == scenario for piece in mine)
    assert len(made.pieces) <= PIECES + n


def test_answers_may_come_in_any_order() -> None:
    """Also twice: the measures are in the order of the seeds, and progress counts each replication once."""
    made = plan(some(4), 200)
    heard: list[tuple[int, int]] = []
    complete: list[Scenario] = []
    gathering = Gathering(
        made, lambda done, of: heard.append((done, of)), lambda swept: complete.append(swept.scenario)
    )
    answers = {number: answered(len(piece.seeds), 1000.0 * number) for number, piece in enumerate(made.pieces)}
    order = [*answers, *answers]
    random.shuffle(order)
    for number in order:
        gathering.add(number, answers[number])
    assert gathering.whole
    for index, swept in enumerate(gathering.swept):
        mine = range(index * made.pieces_each, (index + 1) * made.pieces_each)
        assert swept.found.values("throughput") == [
            m["throughput"] for number in mine for m in answers[number].measures
        ]
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert heard[-1] == (800, 800)
    assert sorted(map(made.scenarios.index, complete)) == [0, 1, 2, 3]


def test_an_error_is_its_scenarios_alone() -> None:
    """And whoever asks for its numbers hears it."""
    made = plan(some(2), 1)
    gathering = Gathering(made)
    gathering.add(0, Answer(error="PolicyError: no"))
    gathering.add(1, answered(1, 0.0))
    bad, good = gathering.swept
    assert (bad.error, good.error) == ("PolicyError: no", "")
    with pytest.raises(SweepError, match="PolicyError: no"):
        bad.mean("throughput")
    assert good.mean("throughput") == 0.0


def test_an_invariant_holds_if_it_held_in_every_replication() -> None:
    """One piece that says no is enough."""
    made = plan(some(1), 2)
    gathering = Gathering(made)
    gathering.add(0, Answer(measures=[MEASURED], invariants={"a": True, "b": True}))
    gathering.add(1, Answer(measures=[MEASURED], invariants={"a": True, "b": False}))
    assert gathering.swept[0].found.invariants == {"a": True, "b": False}
    assert not gathering.swept[0].found.balanced


@pytest.mark.parametrize(
    "load",
    [
        Load(arrival_rate=100, duration_s=50),
        Load(kind="closed", clients=200, think_time_s=1, duration_s=30),
        Load(kind="ramp", arrival_rate=10, ramp_to_rate=150, duration_s=50),
    ],
)
def test_the_number_of_requests_is_foreseen(load: Load) -> None:
    """Within a few percent, where clients of a closed loop hardly wait."""
    scenario = Scenario(load=load, service=Service(service_time_s=0.05, workers=20))
    requests = len(np.unique(simulate(scenario).attempts["request"]))
    assert expected_requests(scenario) == pytest.approx(requests, rel=0.1)


@pytest.mark.parametrize(
    ("n", "replications", "name"),
    [
        *((0, 1, "scenarios"), (10_001, 1, "scenarios"), (1, 0, "replications"), (1, 1.5, "replications")),
        (1000, 101, "scenarios · replications"),
    ],
)
def test_a_sweep_is_bounded(n: int, replications: int, name: str) -> None:
    """In scenarios, replications, and both together."""
    with pytest.raises(ScenarioError) as caught:
        plan([Scenario()] * n, replications)
    assert caught.value.name == name


def test_a_scenario_that_was_played_has_numbers() -> None:
    """``mean`` is that of its replications."""
    scenario = Scenario(load=Load(duration_s=1))
    found = replicate(scenario, 2)
    assert Swept(scenario=scenario, replications=found).mean("throughput") == found.mean("throughput")
    assert broken().retry.policy == "custom"
