"""What a worker does with a piece."""

from __future__ import annotations

import json
from itertools import chain, repeat

import msgspec
import pytest
from rq.timeouts import JobTimeoutException

from demo_workers.errors import LabError
from demo_workers.scenario import Scenario
from lessons.sweeps.job import answer_to, play
from lessons.sweeps.plan import Answer, Piece
from lessons.twin import replicate
from tests.lessons.sweeps.scenarios import OVERHEADS, broken, some


def piece(scenario: Scenario, *seeds: int) -> Piece:
    """A piece that has travelled as JSON."""
    made = Piece(scenario=scenario.to_dict(), seeds=list(seeds))
    return msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(made))), Piece)


def test_it_gives_what_the_twin_gives() -> None:
    """Through JSON and back, to the last bit."""
    (scenario,) = some(1)
    found = replicate(scenario, 3, overheads=OVERHEADS)
    answer = answer_to(piece(scenario, *found.seeds), OVERHEADS, lambda: True)
    travelled = msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(answer))), Answer)
    assert travelled.measures == [measured.to_dict() for measured in found.measures]
    assert travelled.invariants == found.invariants
    assert not travelled.error


def test_it_stops_when_nobody_wants_it() -> None:
    """It asks before each replication."""
    (scenario,) = some(1)
    asked = chain([True, True], repeat(False))
    counted = []

    def wanted() -> bool:
        counted.append(1)
        return next(asked)

    assert answer_to(piece(scenario, *range(50)), None, wanted) == Answer(stopped=True)
    assert len(counted) == 3


def test_what_is_wrong_with_a_scenario_is_the_answer() -> None:
    """With the error's name, whether it cannot be played or is no scenario at all."""
    assert answer_to(piece(broken(), 1), None, lambda: True).error.startswith("PolicyError: ")
    nonsense = Piece(scenario={"load": {"arrival_rate": -1.0}}, seeds=[1])
    assert answer_to(nonsense, None, lambda: True).error.startswith("ScenarioError: load.arrival_rate = -1.0")


def test_rqs_timeout_is_not_the_scenarios_error() -> None:
    """It ends the job, as RQ means it to."""
    (scenario,) = some(1)

    def wanted() -> bool:
        raise JobTimeoutException

    with pytest.raises(JobTimeoutException):
        answer_to(piece(scenario, 1), None, wanted)


def test_outside_a_worker_it_says_what_to_call() -> None:
    """There is no Redis to ask then."""
    with pytest.raises(LabError, match="answer_to"):
        play({}, "key")
