"""``Stack``: Redis, gateway, workers and clients as one object that carries loads."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from demo_workers.errors import LabError, LoadGeneratorLagging
from demo_workers.queueing import dead_workers, strangers
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.records.directory import RunDirectory
from demo_workers.records.run import Run
from demo_workers.records.witnesses import Witnesses
from demo_workers.scenario import KNOBS, Scenario
from demo_workers.stack import calibration, custom_policies, neighbours
from demo_workers.stack.calibration import Calibration
from demo_workers.stack.custom_policies import Admit, NextTry
from demo_workers.stack.live_run import LiveRun
from demo_workers.stack.parts import LAB_RESULTS_LIVE_S, Parts
from demo_workers.stack.redis_witness import RedisWitness
from demo_workers.stack.workforce import WorkerKind

HEAD_START_S = 0.15
"""A run's second 0 lies this far ahead, so that both processes know of it in time."""


class Stack(Parts):
    """The whole system on this machine. Nothing of it outlives the process that made it.

    Args:
        name: starting a second stack of the same name in one process ends the first.
        port: None puts the gateway on a private unix socket, for the stack's own clients; a number puts it on that
            TCP port of 127.0.0.1 (0: any free one), for anybody's, and starts no clients.
        queue: name of the RQ queue; a private one unless given.
        on_failure: called with the first error that breaks the stack.
        environ: where ``WORKBOOK_REDIS_URL`` is looked up.
    """

    _witness: RedisWitness | None = None

    async def begin(
        self,
        scenario: Scenario,
        *,
        open_ended: bool = False,
        out: Path | None = None,
        record: bool = True,
        next_try: NextTry | None = None,
        admit: Admit | None = None,
    ) -> LiveRun:
        """Put a load on the system; returns as soon as it is on its way.

        A stack whose Redis or gateway has died is started anew first. A load that is still running is ended first.

        Args:
            scenario: what to play.
            open_ended: go on until ``LiveRun.stop()``.
            out: directory to record into instead of the user's state directory.
            record: False keeps no events, so that the cost of keeping them can be measured; the run is then empty,
                and only its witnesses know what happened.
            next_try: the reader's own retry policy, in force from the start; see ``LiveRun.use``.
            admit: the reader's own admission policy, likewise.

        Raises:
            PolicyError: a policy of the reader's made a mistake when it was tried, or is missing.
        """
        given: dict[str, Callable[..., Any] | None] = {"next_try": next_try, "admit": admit}
        written = {name: function for name, function in given.items() if function is not None}
        for name in written:
            scenario = scenario.steered(**custom_policies.custom_knob(name, scenario))
        custom_policies.check_written(scenario, written)
        if self._live is not None and not self._live.over:
            with contextlib.suppress(LabError):
                await self._live.stop()
        kind = WorkerKind(scenario.service.worker_class, scenario.service.timings)
        await self.start(scenario.service.workers, kind)
        await self.workforce.employ(scenario.service.workers, kind)
        for name, function in written.items():
            await self.host(name, function)
        run_id, directory = secrets.token_hex(4), RunDirectory.create(out)
        live = self._live = LiveRun(self, scenario, run_id, directory, open_ended)
        live.origin = origin = time.monotonic() + HEAD_START_S
        common: dict[str, Any] = {"run": run_id, "origin": origin}
        files = [str(file) if record else os.devnull for file in (directory.gateway, directory.clients)]
        try:
            await self.gateway.call("begin", **common, events=files[0], admission=scenario.to_dict()["admission"])
            await self.clients.call(
                "begin", **common, events=files[1], scenario=scenario.to_dict(), open_ended=open_ended
            )
        except LabError as error:
            self._fail(error)  # the next load starts everything anew
            raise
        self._witness = RedisWitness(self.redis.address, self.queue, run_id, origin, LAB_RESULTS_LIVE_S)
        self._witness.start()
        live._begin()
        for name, function in written.items():
            live.wrote(name, function)
        return live

    async def run(
        self,
        scenario: Scenario,
        *,
        out: Path | None = None,
        record: bool = True,
        next_try: NextTry | None = None,
        admit: Admit | None = None,
    ) -> Run:
        """Play a scenario to its end; arguments as of ``begin``.

        Raises:
            LabError: a part died, a policy made a mistake, or the clients could not keep their schedule.
        """
        live = await self.begin(scenario, out=out, record=record, next_try=next_try, admit=admit)
        try:
            return await live.finished()
        except asyncio.CancelledError:
            # whoever cancels the waiting cancels the load: nothing may go on unseen
            with contextlib.suppress(LabError):
                await live.stop()
            raise

    async def calibrate(self, workers: int = 3, *, worker_class: str = "simple", fresh: bool = False) -> Calibration:
        """RQ's mean cost per job here, before and after the function, with this many workers at work.

        It is measured once per machine, number and class of workers, and kept.

        Args:
            workers: how many work at the same time.
            worker_class: ``simple`` or ``fork``.
            fresh: measure again even if it is known.
        """
        known = None if fresh else calibration.cached(workers, worker_class)
        if known is not None:
            return known
        await self.start(workers, WorkerKind(worker_class))
        live = await self.begin(calibration.scenario(workers, worker_class), out=self.runtime / "calibration")
        with contextlib.suppress(LoadGeneratorLagging):
            await live.finished()  # late clients do not matter here: the workers have enough to do all the same
        assert live.run is not None
        found = calibration.overhead(live.run)
        shutil.rmtree(self.runtime / "calibration")
        calibration.remember(found, workers)
        return found

    async def apply(self, scenario: Scenario, knobs: set[str]) -> float:
        """Hand changed knobs to the parts they concern; returns the CLOCK_MONOTONIC second at which they act."""
        admission = {knob for knob in knobs if KNOBS[knob].startswith("admission.")}
        live = self._live
        assert live is not None
        t = time.monotonic()
        if admission:
            t = live.origin + (await self.gateway.call("steer", admission=scenario.to_dict()["admission"]))["t"]
        if "workers" in knobs:
            await self.workforce.resize(scenario.service.workers)
            t = time.monotonic()
        if knobs - admission - {"workers"}:
            t = live.origin + (await self.clients.call("steer", scenario=scenario.to_dict()))["t"]
        return t

    async def host(self, name: str, function: Callable[..., Any]) -> None:
        """Bring a policy written in a cell to where it will decide; see ``LiveRun.use``."""
        await custom_policies.host(self.clients if name == "next_try" else self.gateway, name, function)

    # What a load asks when it begins and ends ----------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """What the manifest says about the conditions of a run."""
        versions = {name: version(name) for name in ("asynchronism-workbook", "rq", "redis", "uvicorn")}
        return {
            "versions": versions | {"python": platform.python_version(), "server": self.redis.name},
            "machine": {"cores": os.cpu_count(), "system": platform.platform()},
            "notes": self.notes(),
        }

    def notes(self) -> list[str]:
        """Remarks about the conditions, for people: what else runs here and shares the processor cores."""
        others = neighbours.count(self._runtime)
        return [f"{others} other stack(s) on this machine share the processor cores."] if others else []

    async def hear_witnesses(self, run_id: str, others: Mapping[str, Any]) -> Witnesses:
        """Close the witness of a run and collect what all of them counted."""
        witness, self._witness = self._witness, None
        assert witness is not None
        await witness.stop()
        counters = None
        if not witness.dead:
            counters = await BoundedQueue(self._connection, self.queue).counters(run_id)
        return await witness.counts(counters, others)

    async def end_running_jobs(self) -> None:
        """Kill the workers that are still at a job when patience is over; the jobs are accounted as lost."""
        with self.redis.expected_to_answer():
            await strangers.stop_their_jobs(self._connection, self.queue)
            busy = [name for name in self.workforce.everyone if await dead_workers.at_work(self._connection, name)]
        for name in busy:
            self.workforce.kill(name)
