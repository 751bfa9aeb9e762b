"""One load going on: look at it, turn its knobs, end it, and get the ``Run``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from demo_workers.errors import LabError, LoadGeneratorLagging, PolicyError
from demo_workers.records.directory import RunDirectory, Steer
from demo_workers.records.events import Events, EventTail
from demo_workers.records.run import Run
from demo_workers.records.witnesses import Witnesses
from demo_workers.scenario import KNOBS, Scenario
from demo_workers.services.children.hosted_policy import source_of
from demo_workers.services.clients.lagging import lagging
from demo_workers.stack.custom_policies import Admit, NextTry, check_written, custom_knob

if TYPE_CHECKING:
    from demo_workers.stack.stack import Stack

RUNNING_GRACE_S = 2.0
"""How long jobs in mid-execution may go on after the drain before their workers are ended."""

STOP_DRAIN_S = 1.0
"""The longest drain after Stop: who presses Stop wants an end."""


class LiveRun:
    """Made by ``Stack.begin``.

    Attributes:
        scenario: as steered so far.
        open_ended: whether it goes on until ``stop()``.
        steering: what was done to it, as ``Steer(t, knob, value)``.
        written: the reader's own policies by name (``next_try``, ``admit``), the latest of each.
        directory: the flight recorder's directory.
        run: the finished ``Run``, None before. After a fault it is there too, though ``finished()`` raises.
    """

    def __init__(
        self, stack: Stack, scenario: Scenario, run_id: str, directory: RunDirectory, open_ended: bool
    ) -> None:
        self._stack, self._id, self._directory = stack, run_id, directory
        self._initial = self.scenario = scenario
        self.open_ended = open_ended
        self.steering: list[Steer] = []
        self.written: dict[str, Callable[..., Any]] = {}
        self._texts: list[dict[str, Any]] = []
        self.run: Run | None = None
        self._tails = (EventTail(directory.clients), EventTail(directory.gateway))
        self._tape_over, self._load_over, self._stop_asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._failure: LabError | None = None
        self._failed = asyncio.Event()
        self._task: asyncio.Task[Run] | None = None
        self._length_s = scenario.load.duration_s
        self.origin = 0.0

    @property
    def directory(self) -> Path:
        """Where it is recorded."""
        return self._directory.path

    @property
    def over(self) -> bool:
        """Whether it has ended, well or badly, or never begun."""
        return self._task is None or self._task.done()

    @property
    def limit(self) -> int | None:
        """The limit in force."""
        return self.scenario.admission.limit

    def now(self) -> float:
        """Seconds since the run's origin; slightly negative before it begins."""
        return time.monotonic() - self.origin

    def poll(self) -> Events:
        """Rows that are new since the last poll, from clients and gateway together."""
        return np.concatenate([tail.read() for tail in self._tails])

    async def steer(self, **knobs: Any) -> None:
        """Turn knobs by their short names (``scenario.KNOBS``); they act within 250 ms.

        Raises:
            ScenarioError: a knob or value is out of bounds; then nothing was changed.
            PolicyError: ``custom`` is asked for, and no function was brought by ``use``.
            LabError: a part of the stack did not answer.
        """
        changed = self.scenario.steered(**knobs)
        check_written(changed, self.written)
        if self.over or changed == self.scenario:
            return
        self.scenario = changed
        t = await self._stack.apply(changed, set(knobs))
        self.log(*(Steer(t - self.origin, knob, _value(changed, knob)) for knob in knobs))

    async def use(self, *, next_try: NextTry | None = None, admit: Admit | None = None) -> None:
        """Let functions written in a cell decide from now on, in place of the policies in force.

        Each is tried on a few examples first, where it will run: what is wrong with it mostly shows here. A mistake
        made later ends the run with the same error; the system lives on.

        Args:
            next_try: takes a ``Failure``, returns the seconds to wait before the next attempt, or None to give up.
            admit: takes a ``Door``, returns whether the request may ask for a place. The limit holds all the same.

        Raises:
            PolicyError: a function raised, did not return in time, or returned nonsense; nothing was changed by it.
        """
        for name, function in (("next_try", next_try), ("admit", admit)):
            if function is not None and not self.over:
                await self._stack.host(name, function)
                self.wrote(name, function)
                await self.steer(**custom_knob(name, self.scenario))

    def wrote(self, name: str, function: Callable[..., Any]) -> None:
        """Put a reader's policy on the record: its name in the steering log, its text in the manifest."""
        t = max(self.now(), 0.0)
        self.written[name] = function
        self._texts.append({"t": t, "policy": name, "source": source_of(function)})
        self.log(Steer(t, name, getattr(function, "__name__", name)))

    def log(self, *entries: Steer) -> None:
        """Add entries to the steering log, for knobs and for faults."""
        self.steering.extend(entries)
        self._directory.append_steering(entries)

    def fail(self, error: LabError) -> None:
        """End it with this error; the first one counts."""
        if self._failure is None:
            self._failure = error
            self._failed.set()

    def heard(self, event: dict[str, Any]) -> None:
        """News from the clients."""
        if event.get("event") == "tape_over":
            self._tape_over.set()
        elif event.get("event") == "load_over":
            self._load_over.set()

    async def finished(self) -> Run:
        """Wait for the end of load and drain.

        Raises:
            LoadGeneratorLagging: the clients could not keep their schedule; ``run`` has the record all the same.
            LabError: whatever ended it early.
        """
        assert self._task is not None
        # a cancelled waiter must not take the run down with it
        run = await asyncio.shield(self._task)
        if self._failure is not None:
            raise self._failure
        if run.invalid:
            raise LoadGeneratorLagging(run.invalid)
        return run

    async def stop(self) -> Run:
        """End the load now, drain briefly, return the ``Run``; may be called twice and after the end."""
        self._stop_asked.set()
        return await self.finished()

    @property
    def _parts_live(self) -> bool:
        """Whether clients, gateway and Redis can still be asked: a mistake in a reader's own policy kills none."""
        return self._failure is None or isinstance(self._failure, PolicyError)

    def _begin(self) -> None:
        """Called by the stack when clients and gateway have begun."""
        self._write_manifest()
        self._task = asyncio.get_running_loop().create_task(self._supervise())

    async def _supervise(self) -> Run:
        try:
            await self._first(self._tape_over, self._stop_asked, self._failed)
            self._length_s = min(self.now(), self._length_s if not self.open_ended else np.inf)
            if self._parts_live:
                await self._drain()
        except LabError as error:
            self.fail(error)
        witnesses = await self._close()
        return self._finish(witnesses)

    async def _drain(self) -> None:
        clients, gateway = self._stack.clients, self._stack.gateway
        drain_s = self.scenario.drain_s
        if self._failure is not None:
            drain_s = 0.0  # after a policy's mistake nobody waits for the rest
        elif self._stop_asked.is_set():
            await clients.call("stop")
            drain_s = min(drain_s, STOP_DRAIN_S)
        await self._until_idle(drain_s)
        await self._stack.faults.lift()
        await clients.call("cut")
        await gateway.call("cancel_waiting")
        if not await self._until_idle(RUNNING_GRACE_S):
            await self._stack.end_running_jobs()
            await self._until_idle(RUNNING_GRACE_S)

    async def _until_idle(self, patience_s: float) -> bool:
        """Wait until no request and no job is left, a fault, or the end of patience; say whether all is done."""
        deadline = time.monotonic() + patience_s
        while self._parts_live:
            left = await self._stack.gateway.call("outstanding")
            if self._load_over.is_set() and left["waiting"] + left["running"] == 0:
                return True
            if time.monotonic() > deadline:
                return bool(left["running"] == 0 and self._load_over.is_set())
            await asyncio.sleep(0.02)
        return True

    async def _close(self) -> Witnesses:
        """Close the record at all who still live, and hear the witnesses."""
        others: dict[str, Any] = {}
        for name, child in (("clients", self._stack.clients), ("gateway", self._stack.gateway)):
            with contextlib.suppress(LabError):
                if name == "clients" and self._failure is not None:
                    await child.call("cut")
                others[name] = await child.call("end")
        return await self._stack.hear_witnesses(self._id, others)

    def _finish(self, witnesses: Witnesses) -> Run:
        self._write_manifest(
            witnesses=witnesses.to_dict(),
            ended_by=str(self._failure or ""),
            invalid=lagging(witnesses.clients),
            length_s=self._length_s,
            written_policies=self._texts,
            clock=(witnesses.gateway or {}).get("clock", "same"),
        )
        self.run = Run.read(self._directory, "live")
        return self.run

    def _write_manifest(self, **more: Any) -> None:
        fixed = {"run": self._id, "scenario": self._initial.to_dict(), "origin": self.origin}
        self._directory.write_manifest(fixed | self._stack.describe() | more)

    async def _first(self, *events: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _value(scenario: Scenario, knob: str) -> Any:
    section, name = KNOBS[knob].split(".")
    return getattr(getattr(scenario, section), name)
