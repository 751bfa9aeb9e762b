"""Section c, the star: two systems with the same servers and the same load; one has had a spike, and serves nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.directory import Steer
from demo_workers.records.events import EVENT
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.check.claims import Claim, check
from lessons.retries.health import Health, health
from lessons.retries.spike import CALM, HEIGHT, SERVICE_S, SPIKE_S, WORKERS, spike
from lessons.twin.simulate import Engine, Overheads, simulate

TRIES = 3
LEAST = 0.5
"""Of those who come, served in time by a system that is well. In so short a time some come and some are answered."""

LOOK_S = 1.2
"""The last so many seconds of a run are what is looked at."""


class Form(NamedTuple):
    """How long an experience takes, in seconds, and how high its spike is.

    ``turn_s`` is how long after the spike a knob is turned, ``end_s`` how long after it the load ends.
    """

    start_s: float
    spike_s: float
    height: float
    turn_s: float
    end_s: float
    drain_s: float = 0.2

    @property
    def turned_s(self) -> float:
        """The second of the run at which a knob is turned."""
        return self.start_s + self.spike_s + self.turn_s

    @property
    def over_s(self) -> float:
        """The second of the run until which people must be served again."""
        return self.start_s + self.spike_s + self.end_s - WELL_FOR_S


SHORT = Form(start_s=0.4, spike_s=1.2, height=4.2, turn_s=1.5, end_s=1.5)
"""What Run All plays of the two: a shorter, higher spike, and nobody turns anything."""

SHORT_RESCUE = Form(start_s=0.3, spike_s=1.2, height=4.2, turn_s=1.1, end_s=2.5)
"""What Run All plays of a rescue."""

WELL, WELL_FOR_S = 0.9, 3.0
"""Recovered: of those who come in so many seconds, this share is served in time."""

RESCUE_S = 60.0
FULL = Form(start_s=3.0, spike_s=SPIKE_S, height=HEIGHT, turn_s=2.0, end_s=2.0 + RESCUE_S + WELL_FOR_S, drain_s=1.0)
"""What the button plays: five seconds of spike, two to see what has become of it, and a minute; whoever is served again
in its last moment is seen to be."""


class TwoFates:
    """Two stacks alike, and what RQ costs per job on them; made by ``open_two_fates``.

    Args:
        struck: the system that gets a spike.
        calm: the one that does not.
        cost: RQ's cost per job with two workers at work.
        own: those of the stacks that ``close`` is to end.
    """

    def __init__(self, struck: Stack, calm: Stack, cost: Calibration, *, own: Sequence[Stack] = ()) -> None:
        self.struck, self.calm, self.cost, self._own = struck, calm, cost, own

    @property
    def capacity(self) -> float:
        """cμ: posts per second that the workers of one system can do, RQ's own cost per job included."""
        return WORKERS / (SERVICE_S + self.cost.overhead_s)

    def load(self, form: Form = FULL, *, struck: bool = True, seed: int = 7, service_s: float = SERVICE_S) -> Scenario:
        """Four fifths of the capacity; the struck system has a spike as well.

        Args:
            form: how long.
            struck: whether there is a spike.
            seed: the tape's seed.
            service_s: how long the work of a post takes.
        """
        height = form.height if struck else CALM
        return spike(
            self.cost.overhead_s,
            seed=seed,
            service_s=service_s,
            height=height,
            start_s=form.start_s,
            length_s=form.spike_s,
            tail_s=form.end_s,
            drain_s=form.drain_s,
        )

    def simulate(
        self,
        scenario: Scenario,
        turned: Mapping[str, Any] | None = None,
        at_s: float = 0.0,
        *,
        engine: Engine = "python",
        runs: int = 1,
    ) -> Run:
        """The twin, with RQ's cost as it is here; plain Python unless asked, so that nothing has to be compiled first.

        Args:
            scenario: the load.
            turned: knobs that are turned, by their short names.
            at_s: when, seconds of the run.
            engine: see ``simulate``.
            runs: likewise.
        """
        steering = [Steer(at_s, knob, value) for knob, value in (turned or {}).items()]
        nothing = np.empty(0, EVENT)
        score = Run(scenario=scenario, source="twin", steering=steering, events=nothing)
        return simulate(score, overheads=Overheads.measured(self.cost), engine=engine, runs=runs)

    async def play(self, scenario: Scenario, turned: Mapping[str, Any] | None = None, at_s: float = 0.0) -> Run:
        """A live run on the struck system, its knobs turned on the way; one that the machine was too busy for is played
        again, twice at most.

        Args:
            scenario: the load.
            turned: knobs that are turned, by their short names.
            at_s: when, seconds of the run.

        Raises:
            LabError: a part died, or the machine is too busy.
        """
        for _ in range(TRIES - 1):
            try:
                return await self._play(scenario, turned or {}, at_s)
            except LoadGeneratorLagging:
                continue
        return await self._play(scenario, turned or {}, at_s)

    async def _play(self, scenario: Scenario, turned: Mapping[str, Any], at_s: float) -> Run:
        live = await self.struck.begin(scenario)
        try:
            if turned:
                await asyncio.sleep(at_s - live.now())
                await live.steer(**turned)
            return await live.finished()
        except BaseException:
            await self.struck.stop()
            raise

    async def close(self) -> None:
        """End what was started for this alone; the next experiment brings it back."""
        await asyncio.gather(*(stack.stop() for stack in self._own))


async def open_two_fates(struck: Stack | None = None) -> TwoFates:
    """Start two systems alike, and measure what RQ costs per job here (kept for the next time).

    Running it again replaces what the first call started.

    Args:
        struck: the system that is to have the spike, where there is one already; it is not ended by ``close``.
    """
    calm = Stack("04_calm")
    own = (calm,) if struck is not None else (calm, Stack("04_struck"))
    struck = struck or own[-1]
    await asyncio.gather(struck.start(WORKERS), calm.start(WORKERS))
    fates = TwoFates(struck, calm, await struck.calibrate(WORKERS), own=own)
    rate = fates.load().load.arrival_rate
    print(f"Two systems, each with two workers that can do {fates.capacity:.0f} posts per second.")
    print(f"To each come {rate:.0f} posts per second: {CALM:.0%}.")
    return fates


def last(run: Run) -> Health:
    """How a run was in its last moments."""
    return health(run, run.length_s - LOOK_S, run.length_s)


def is_well(run: Run) -> bool:
    """Whether most people were served in time in the end."""
    end = last(run)
    return end.in_time > LEAST * end.came


def served(run: Run) -> str:
    """What the prediction was about, in a phrase."""
    end = last(run)
    return f"{end.in_time:.0f} of {end.came:.0f} that come per second"


def check_two_fates(struck: Run, calm: Run) -> None:
    """What section c says of the two.

    Raises:
        ClaimError: it is not so.
    """
    ill, well = last(struck), last(calm)
    numbers = f"with the spike: {ill}; without: {well}"
    load = struck.scenario.load
    same = replace(struck.scenario, load=replace(load, spike_rate=load.arrival_rate)) == calm.scenario
    over = load.spike_start_s + load.spike_length_s < struck.length_s - LOOK_S
    check(
        Claim("the same servers and the same load; one had a spike, and it is over", same and over, str(load)),
        Claim("every worker of both is alive, and there is not one error",
              (ill.alive, well.alive, ill.errors, well.errors) == (WORKERS, WORKERS, 0, 0), numbers),
        Claim("the workers after the spike are as busy as the others, or busier", ill.busy > 0.9 * well.busy, numbers),
        Claim("without the spike most people are served in time", is_well(calm), numbers),
        Claim("with it, hardly anybody", ill.in_time < 0.1 * well.in_time, numbers),
        Claim("the books of both runs balance, and every witness agrees",
              struck.ledger.balanced and calm.ledger.balanced, f"{struck.ledger.table()}\n{calm.ledger.table()}"),
    )  # fmt: skip
