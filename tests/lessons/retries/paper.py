"""A lesson that was never started, to build loads with and to play them in the twin."""

from __future__ import annotations

import dataclasses

from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.retries import Lesson
from lessons.retries.waves import NAMES, crowd

COST = Calibration(overhead_before_s=0.001, overhead_after_s=0.002, workers=2, jobs=100)
PAPER = Lesson(Stack("never started"), COST)


def played(seed: int = 7) -> dict[str, Run]:
    """The runs of section a, in the twin."""
    return {policy: PAPER.simulate(crowd(PAPER, policy, seed=seed)) for policy in NAMES}


def unbalanced(run: Run) -> Run:
    """The run without the first end of a job, so that its books do not balance."""
    first = int((run.events["kind"] == Kind.ENDED).argmax())
    return dataclasses.replace(run, events=run.events[[row != first for row in range(len(run.events))]])
