"""A lesson that was never started, to build loads with and to play them in the twin."""

from __future__ import annotations

import dataclasses
from typing import Any

from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from demo_workers.records.witnesses import Witnesses
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.back_pressure import Lesson

COST = Calibration(overhead_before_s=0.001, overhead_after_s=0.002, workers=3, jobs=100)
PAPER = Lesson(Stack("never started"), COST)


def played(scenario: Scenario, *, lose: Kind | None = None, **changes: Any) -> Run:
    """A run of the twin.

    Args:
        scenario: what to play.
        lose: leave out the first row of this kind, so that the books do not balance.
        changes: other fields of the run.
    """
    run = PAPER.simulate(scenario)
    if lose is not None:
        first = int((run.events["kind"] == lose).argmax())
        changes["events"] = run.events[[row != first for row in range(len(run.events))]]
    return dataclasses.replace(run, **changes)


def watched(run: Run, inside: int) -> Run:
    """The run as a live one whose Redis was seen to hold so many, ten times a second."""
    looks = [(n / 10, inside, inside) for n in range(int(10 * run.length_s))]
    return dataclasses.replace(run, source="live", witnesses=Witnesses(samples=looks))
