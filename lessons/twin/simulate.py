"""``simulate``: the same scenario, the same tape, the same policies, and no machine; gives a ``Run`` like any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from demo_workers.errors import ScenarioError
from demo_workers.policies.custom import Admit, NextTry, check_written, custom_knob
from demo_workers.records.measures import Measures
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from lessons.twin import hooks, room
from lessons.twin.engine import play
from lessons.twin.overheads import Overheads
from lessons.twin.parameters import parameters
from lessons.twin.plain import count, draw, is_plain, serve
from lessons.twin.played import Played
from lessons.twin.progress import Progress, say_compiling
from lessons.twin.score import Score, Turn, score_of
from lessons.twin.state import Sim, registers
from lessons.twin.tapes import Change, Tapes, closed_tape, expected, open_tape

__all__ = ["Engine", "Overheads", "simulate"]

Engine = Literal["auto", "python", "compiled", "plain"]

PYTHON_S = 50e-6
"""What a request takes plain Python (seconds)."""
UNNOTICED_S = 0.5
"""So long plain Python may take before compiled code is even thought of: to import the compiler takes as long."""
MOST_CYCLES = 10_000
"""Of a closed loop's clients that there is room for at first."""
GRACE_S = 2.0
"""How long functions that run may go on after the drain, as in the live system."""


def simulate(
    what: Scenario | Run,
    *,
    overheads: Overheads | None = None,
    next_try: NextTry | None = None,
    admit: Admit | None = None,
    engine: Engine = "auto",
    runs: int = 1,
    compiling: Progress = say_compiling,
) -> Run:
    """Play a scenario, or all that was done to a run, in the twin.

    Args:
        what: a scenario; or a run, whose tape is played again with every knob that was turned and every worker and
            work horse that died in it. Other faults are not played; a note of the new run names them.
        overheads: what RQ and the machine cost per job; nothing unless given.
        next_try: the reader's own retry policy. It is in force from the start, as in the live system; in a run, from
            when the record says that it was.
        admit: the reader's own admission policy, likewise.
        engine: ``python``, ``compiled``, ``plain`` (for what ``plain.is_plain`` allows), or whichever will be done
            sooner; all give the same run. One that asks a reader's own policy is always played by ``python``.
        runs: how many of this kind are to come, so that it can be known which engine that is.
        compiling: hears how many functions have been compiled, and of how many, where that must be done first.

    Raises:
        PolicyError: ``custom`` is in force and no function was passed; or one raised, or returned nonsense.
        ScenarioError: the engine is ``plain`` and the scenario is not.
    """
    written = [name for name, function in (("next_try", next_try), ("admit", admit)) if function is not None]
    if isinstance(what, Scenario):
        scenario, length_s, score = what, what.load.duration_s, Score()
        for name in written:
            scenario = scenario.steered(**custom_knob(name, scenario))
    else:
        scenario, length_s, score = what.scenario, what.length_s, score_of(what)
    plan = _Plan(scenario, score.turns, float(length_s), overheads or Overheads())
    for then in plan.scenarios:
        check_written(then, written)
    given: dict[str, Any] = {"steering": score.steering, "notes": score.notes, "manifest": {"length_s": length_s}}
    if engine == "plain" or (engine == "auto" and plan.plain and _pays(plan.expected * runs, serve, draw, count)):
        rows, measure = plan.play_plain(compiling)
        return Played(rows=rows, measure=measure, scenario=scenario, source="twin", **given)
    with hooks.asking(next_try, admit):
        sim = plan.play(engine, runs, compiling)
    return Played(rows=lambda: sim, scenario=scenario, source="twin", **given)


class _Plan(NamedTuple):
    scenario: Scenario
    turns: Sequence[Turn]
    length_s: float
    overheads: Overheads

    @property
    def scenarios(self) -> list[Scenario]:
        """All that are in force, one after the other."""
        return [self.scenario, *(turn.scenario for turn in self.turns)]

    @property
    def plain(self) -> bool:
        """Whether it is a plain queue from beginning to end, where every job costs the same."""
        return not self.turns and is_plain(self.scenario) and self.overheads.plain

    @property
    def expected(self) -> float:
        """Requests of an open loop."""
        return expected(self.scenario, self._changes, self.length_s)

    def play_plain(self, heard: Progress) -> tuple[Callable[[], Sim], Callable[[Run], Measures]]:
        """Play it as a plain queue: what makes the rows of it, and what measures a run of it.

        Raises:
            ScenarioError: it is none.
        """
        if not self.plain:
            bound = "auto, python or compiled for a load with retries, patience, rules or knobs"
            raise ScenarioError("engine", "plain", bound, "Leave the choice to auto.")
        from lessons.twin import plain_run

        played = plain_run.play(
            self.scenario, self.length_s, self.overheads.before_s, self.overheads.after_s, GRACE_S, heard
        )
        return partial(plain_run.rows, played), partial(plain_run.measures, played, heard)

    def play(self, engine: Engine, runs: int, compiling: Progress) -> Sim:
        """Play it, with ever more room until it fits."""
        cycles, rows = _cycles(self.scenario, self.length_s), 1024
        asks = any(then.retry.policy == "custom" or then.admission.hook("admit") == "custom" for then in self.scenarios)
        while True:
            tapes = self._tapes(cycles)
            requests = len(tapes.due_s)
            quick = not asks and (engine == "compiled" or (engine == "auto" and _pays(requests * runs, play)))
            # a reader's policy may remember: it is not to be asked about a run that did not fit and is played again
            most = max(then.retry.attempts for then in self.scenarios) if asks else 1
            rows = max(rows, most * requests + 1024)
            s = self._room(tapes, rows, quick)
            arguments = (s, *self._columns(quick), self.length_s, float(self.scenario.drain_s), GRACE_S)
            if quick:
                _call(arguments, compiling)
            else:
                play(*arguments)
            if not registers(s)["overflow"]:
                return s
            cycles, rows = 2 * cycles, 2 * rows

    def _tapes(self, cycles: int) -> Tapes:
        if self.scenario.load.kind == "closed":
            return closed_tape(self.scenario, cycles)
        return open_tape(self.scenario, self._changes, self.length_s)

    @property
    def _changes(self) -> list[Change]:
        return [Change(turn.t, turn.scenario) for turn in self.turns]

    def _room(self, tapes: Tapes, rows: int, quick: bool) -> Sim:
        params = [parameters(then, self.scenario) for then in self.scenarios]
        seed, clients = self.scenario.seed, self.scenario.load.clients
        return room.sim(seed, tapes, clients, params, self.overheads, rows, compiled=quick)

    def _columns(self, quick: bool) -> tuple[Any, Any]:
        times, killed = [turn.t for turn in self.turns], [turn.dead for turn in self.turns]
        return (np.array(times, float), np.array(killed, np.int64)) if quick else (times, killed)


def _pays(requests: float, *functions: Callable[..., Any]) -> bool:
    """Whether compiled functions play so many requests sooner, what it takes to get them ready included."""
    if requests * PYTHON_S < UNNOTICED_S:
        return False
    from lessons.twin import compiling

    return requests * PYTHON_S > compiling.wait_s(*functions)


def _call(arguments: tuple[Any, ...], heard: Progress) -> None:
    from lessons.twin import compiling

    compiling.call(play, arguments, heard)


def _cycles(scenario: Scenario, length_s: float) -> int:
    """How often a client of a closed loop goes round, if it hardly ever has to wait."""
    mean = length_s / (scenario.load.think_time_s + scenario.service.service_time_s)
    return min(int(1.25 * mean + 6 * mean**0.5) + 8, MOST_CYCLES)
