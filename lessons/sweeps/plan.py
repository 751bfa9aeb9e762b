"""What a sweep is made of: pieces that a worker can do alone, and how their answers are put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, Literal

import msgspec

from demo_workers.errors import LabError, ScenarioError
from demo_workers.records.measures import Measures
from demo_workers.scenario import Scenario
from demo_workers.tape import profile
from lessons.theory.bounds import whole
from lessons.twin import Replications
from lessons.twin.family import seeds_of
from lessons.twin.progress import Progress

MOST_SCENARIOS = 10_000
MOST_REPLICATIONS = 100_000
"""Of all scenarios together."""
PIECES = 256
"""Into about so many a large sweep is cut: enough to keep sixty workers evenly busy, and few beside what RQ costs."""
Engine = Literal["python", "compiled"]


class SweepError(LabError):
    """A scenario of a sweep could not be played."""


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some replications of one scenario, as they travel to a worker.

    Attributes:
        scenario: as ``Scenario.to_dict`` gives it.
        seeds: one per replication.
        engine: of the twin.
    """

    scenario: dict[str, Any]
    seeds: list[int]
    engine: Engine = "python"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a piece.

    Attributes:
        measures: ``Measures.to_dict`` of each replication.
        invariants: of the ledger: name, and whether it held in every replication.
        error: why it could not be played, or "".
        stopped: whether nobody wanted it any more.
    """

    measures: list[dict[str, float | None]] = []
    invariants: dict[str, bool] = {}
    error: str = ""
    stopped: bool = False


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What became of one scenario of a sweep.

    Attributes:
        scenario: as it was asked for.
        replications: what was measured; None where the scenario could not be played.
        error: why it could not, or "".
    """

    scenario: Scenario
    replications: Replications | None
    error: str = ""

    def mean(self, key: str) -> float | None:
        """Mean of a measure over the replications; None where it does not apply.

        Raises:
            SweepError: the scenario could not be played.
        """
        return self.found.mean(key)

    @property
    def found(self) -> Replications:
        """The replications.

        Raises:
            SweepError: the scenario could not be played.
        """
        if self.replications is None:
            raise SweepError(self.error)
        return self.replications


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was asked for, and its pieces."""

    scenarios: Sequence[Scenario]
    replications: int
    engine: Engine = "python"

    def __post_init__(self) -> None:
        whole("scenarios", len(self.scenarios), 1, MOST_SCENARIOS)
        whole("replications", self.replications, 1, MOST_REPLICATIONS)
        total = len(self.scenarios) * self.replications
        if total > MOST_REPLICATIONS:
            bound = f"at most {MOST_REPLICATIONS} for all scenarios together"
            raise ScenarioError("scenarios · replications", total, bound, "Sweep in several steps.")

    @cached_property
    def pieces(self) -> list[Piece]:
        """All pieces, scenario by scenario; ``pieces_each`` of every scenario."""
        return [piece for scenario in self.scenarios for piece in self._cut(scenario)]

    @property
    def pieces_each(self) -> int:
        """Into how many pieces each scenario is cut."""
        return ceil(self.replications / self._length)

    @property
    def _length(self) -> int:
        """Replications of a piece; the last one of a scenario may be shorter."""
        return min(self.replications, ceil(len(self.scenarios) * self.replications / PIECES))

    def _cut(self, scenario: Scenario) -> list[Piece]:
        seeds, asked = seeds_of(scenario.seed, self.replications), scenario.to_dict()
        starts = range(0, len(seeds), self._length)
        return [Piece(scenario=asked, seeds=seeds[i : i + self._length], engine=self.engine) for i in starts]


class Gathering:
    """Collects answers until the sweep is whole.

    Args:
        plan: what was asked for.
        progress: hears how far it is.
        each: hears of each scenario as soon as that is complete.
    """

    def __init__(
        self, plan: Plan, progress: Progress | None = None, each: Callable[[Swept], object] | None = None
    ) -> None:
        self._plan, self._progress, self._each = plan, progress, each
        self._answers: dict[int, Answer] = {}
        self._missing = [plan.pieces_each] * len(plan.scenarios)
        self._swept: dict[int, Swept] = {}
        self._done = 0

    @property
    def whole(self) -> bool:
        """Whether every scenario is complete."""
        return len(self._swept) == len(self._plan.scenarios)

    @property
    def swept(self) -> list[Swept]:
        """What became of each scenario, in the order asked for; only when it is whole."""
        return [self._swept[index] for index in range(len(self._plan.scenarios))]

    def add(self, number: int, answer: Answer) -> None:
        """Take the answer to a piece; a second one to the same piece changes nothing."""
        if number in self._answers:
            return
        self._answers[number] = answer
        self._done += len(self._plan.pieces[number].seeds)
        if self._progress is not None:
            self._progress(self._done, len(self._plan.scenarios) * self._plan.replications)
        index = number // self._plan.pieces_each
        self._missing[index] -= 1
        if self._missing[index] == 0:
            self._swept[index] = swept = self._put_together(index)
            if self._each is not None:
                self._each(swept)

    def _put_together(self, index: int) -> Swept:
        scenario = self._plan.scenarios[index]
        start = index * self._plan.pieces_each
        answers = [self._answers[number] for number in range(start, start + self._plan.pieces_each)]
        if errors := [answer.error for answer in answers if answer.error]:
            return Swept(scenario=scenario, replications=None, error=errors[0])
        merged = merge(answers)
        found = Replications(
            scenario=scenario,
            seeds=seeds_of(scenario.seed, self._plan.replications),
            measures=[msgspec.convert(measured, Measures) for measured in merged.measures],
            invariants=merged.invariants,
        )
        return Swept(scenario=scenario, replications=found)


def merge(answers: Sequence[Answer]) -> Answer:
    """Several answers without an error as one."""
    invariants: dict[str, bool] = {}
    for answer in answers:
        for name, held in answer.invariants.items():
            invariants[name] = invariants.get(name, True) and held
    return Answer(measures=[measured for answer in answers for measured in answer.measures], invariants=invariants)


def expected_requests(scenario: Scenario) -> float:
    """About how many requests a replication has."""
    load = scenario.load
    if load.kind == "closed":
        return load.clients * load.duration_s / (load.think_time_s + scenario.service.service_time_s)
    return sum((s.end_s - s.start_s) * (s.rate + s.rate_end) / 2 for s in profile(load))
