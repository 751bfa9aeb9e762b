"""``simulate``: the same scenario, the same tape, the same policies, and no machine; gives a ``Run`` like any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from demo_workers.policies.custom import Door, Failure
from demo_workers.records.directory import Steer
from demo_workers.records.run import Run
from demo_workers.scenario import KNOBS, Scenario
from lessons.twin import hooks, room
from lessons.twin.compiling import compiled
from lessons.twin.engine import play
from lessons.twin.parameters import parameters
from lessons.twin.state import NONE, Sim, registers
from lessons.twin.tables import events
from lessons.twin.tapes import Change, Tapes, closed_tape, open_tape

Engine = Literal["auto", "python", "compiled"]

PYTHON_UP_TO = 20_000
"""Requests up to which plain Python plays them in a wait that nobody would notice."""
GRACE_S = 2.0
"""How long functions that run may go on after the drain, as in the live system."""
FIRST_CYCLES = 32


@dataclass(frozen=True, kw_only=True)
class Overheads:
    """What RQ costs per job (seconds): before the function, and after it, where it holds worker and slot."""

    before_s: float = 0.0
    after_s: float = 0.0


def simulate(
    what: Scenario | Run,
    *,
    overheads: Overheads | None = None,
    next_try: Callable[[Failure], float | None] | None = None,
    admit: Callable[[Door], bool] | None = None,
    engine: Engine = "auto",
) -> Run:
    """Play a scenario, or all that was done to a run, in the twin.

    Args:
        what: a scenario; or a run, whose tape is played again with every knob that was turned and every worker that
            died in it.
        overheads: RQ's cost per job; none unless given.
        next_try: the reader's own retry policy, for ``retry.policy=custom``.
        admit: the reader's own admission policy, for ``admission.policy=custom``.
        engine: ``python``, ``compiled``, or whichever is quicker for this one.
    """
    scenario = what if isinstance(what, Scenario) else what.scenario
    steering: Sequence[Steer] = () if isinstance(what, Scenario) else what.steering
    length_s = scenario.load.duration_s if isinstance(what, Scenario) else what.length_s
    plan = _Plan(scenario, _turns(scenario, steering), length_s, overheads or Overheads())
    hooks.written.next_try, hooks.written.admit = next_try, admit
    try:
        s = plan.play(engine, written=next_try is not None or admit is not None)
    finally:
        hooks.written.next_try = hooks.written.admit = None
    return Run(scenario=scenario, source="twin", steering=steering, events=events(s), manifest={"length_s": length_s})


class _Turn(NamedTuple):
    """From ``t`` on (seconds) this scenario is in force; ``killed`` is the number of a worker that dies then."""

    t: float
    scenario: Scenario
    killed: int = NONE


def _turns(scenario: Scenario, steering: Sequence[Steer]) -> list[_Turn]:
    turns = []
    for entry in sorted(steering, key=lambda entry: entry.t):
        if entry.knob in KNOBS:
            scenario = scenario.steered(**{entry.knob: entry.value})
            turns.append(_Turn(entry.t, scenario))
        elif entry.knob == "worker_died":
            turns.append(_Turn(entry.t, scenario, int(str(entry.value).rpartition("-w")[2] or NONE)))
    return turns


class _Plan(NamedTuple):
    scenario: Scenario
    turns: list[_Turn]
    length_s: float
    overheads: Overheads

    def play(self, engine: Engine, *, written: bool) -> Sim:
        """Play it, with ever more room until it fits."""
        cycles, rows = FIRST_CYCLES, 1024
        while True:
            tapes = self._tapes(cycles)
            quick = engine == "compiled" or (engine == "auto" and not written and len(tapes.due_s) > PYTHON_UP_TO)
            rows = max(rows, len(tapes.due_s) + 1024)
            s = self._room(tapes, rows, quick)
            run: Callable[..., None] = compiled(play) if quick else play
            run(s, *self._columns(quick), self.length_s, self.scenario.drain_s, GRACE_S)
            if not registers(s)["overflow"]:
                return s
            cycles, rows = 2 * cycles, 2 * rows

    def _tapes(self, cycles: int) -> Tapes:
        if self.scenario.load.kind == "closed":
            return closed_tape(self.scenario, cycles)
        return open_tape(self.scenario, [Change(turn.t, turn.scenario) for turn in self.turns], self.length_s)

    def _room(self, tapes: Tapes, rows: int, quick: bool) -> Sim:
        overheads = (self.overheads.before_s, self.overheads.after_s)
        params = [parameters(then, *overheads) for then in (self.scenario, *(turn.scenario for turn in self.turns))]
        return room.sim(self.scenario.seed, tapes, self.scenario.load.clients, params, rows, compiled=quick)

    def _columns(self, quick: bool) -> tuple[Any, Any]:
        times, killed = [turn.t for turn in self.turns], [turn.killed for turn in self.turns]
        return (np.array(times, float), np.array(killed, np.int64)) if quick else (times, killed)
