"""What was done to a run, as the twin plays it: knobs that were turned, workers and work horses that died."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from demo_workers.records.directory import Steer
from demo_workers.records.run import Run
from demo_workers.scenario import KNOBS, Scenario
from lessons.twin.engine import HORSES
from lessons.twin.state import NONE

DEATHS = ("worker_died", "horse_died")
WORDS = ("kill_worker", "kill_horse", "next_try", "admit")
"""What the steering log says beside what it does: the cause of a death, and whose policy it is that a knob puts in
force."""


class Turn(NamedTuple):
    """From ``t`` on (seconds) this scenario is in force; ``dead`` is who dies then (see ``engine.play``)."""

    t: float
    scenario: Scenario
    dead: int = NONE


class Score(NamedTuple):
    """All that is to be done to the twin.

    Attributes:
        turns: in order of time.
        steering: the entries of the log that they stand for, with the twin's own numbers of workers.
        notes: what was done to the run and cannot be done to the twin.
    """

    turns: Sequence[Turn] = ()
    steering: Sequence[Steer] = ()
    notes: Sequence[str] = ()


def score_of(run: Run) -> Score:
    """The steering log of a run, in order of time."""
    scenario, turns, steering, left_out = run.scenario, list[Turn](), list[Steer](), list[Steer]()
    numbers = _numbers(run)
    for entry in sorted(run.steering, key=lambda entry: entry.t):
        if entry.knob in KNOBS:
            scenario = scenario.steered(**{entry.knob: entry.value})
            turns.append(Turn(entry.t, scenario))
        elif entry.knob in DEATHS:
            worker = int(np.searchsorted(numbers, _number(entry.value)))
            turns.append(Turn(entry.t, scenario, worker if entry.knob == "worker_died" else HORSES - worker))
            entry = entry._replace(value=f"twin-w{worker}")
        elif entry.knob not in WORDS:
            left_out.append(entry)
            continue
        steering.append(entry)
    named = ", ".join(f"{entry.knob} at {entry.t:.1f} s" for entry in left_out)
    return Score(turns, steering, [f"The twin did not play {named}."] if named else [])


def _numbers(run: Run) -> np.ndarray[Any, Any]:
    """The workers of a run, in the order in which they were hired, which is that of their numbers."""
    dead = [_number(entry.value) for entry in run.steering if entry.knob in DEATHS]
    found = np.unique([*run.executions["worker"], *dead]) if dead else np.empty(0)
    return np.asarray(found[found >= 0])


def _number(worker: object) -> int:
    """A worker's number, from its name."""
    tail = str(worker).rpartition("-w")[2]
    return int(tail) if tail.isdigit() else NONE
