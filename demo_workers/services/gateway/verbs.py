"""What the owner may ask of the gateway over the control pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_workers.errors import ScenarioError
from demo_workers.scenario import Scenario
from demo_workers.services.children.hosted_policy import host
from demo_workers.services.gateway.following import Follower
from demo_workers.services.gateway.record import Record
from demo_workers.services.gateway.state import RunState, State


class Verbs:
    """The handlers for ``control.serve``.

    Args:
        state: what they change.
        follower: caught up with before anything is said to be over.
        failed: told when the record cannot be written any more.
    """

    def __init__(self, state: State, follower: Follower, failed: Callable[[str], None]) -> None:
        self._state, self._follower, self._failed = state, follower, failed

    def table(self) -> dict[str, Callable[..., Any]]:
        """Verb to handler."""
        names = ("use", "begin", "steer", "cancel_waiting", "settled", "outstanding", "end", "depth")
        return {name: getattr(self, name) for name in names}

    def use(self, policy: str, packed: dict[str, Any]) -> dict[str, Any]:
        """Try an admission policy written in a cell, and keep it for ``custom``; replies with its mistake."""
        hosted, reply = host(policy, packed)
        if hosted is not None:
            self._state.written = hosted
            self._state.steer(self._state.admission)
        return reply

    async def begin(self, run: str, origin: float, events: str, admission: dict[str, Any]) -> dict[str, Any]:
        """Start the record of a run; one that is still open is closed.

        Args:
            run: first part of the run's job ids.
            origin: CLOCK_MONOTONIC seconds of its second 0.
            events: file to record into.
            admission: as ``steer`` takes it.
        """
        _check_run(run)
        await self.steer(admission)
        self._close()
        redis_origin = await self._redis_time(origin)
        record = Record(run, origin, Path(events), redis_origin, self._failed)
        self._state.turn_to(RunState(run, self._state.admission, record))
        return {"t": record.now()}

    async def steer(self, admission: dict[str, Any]) -> dict[str, Any]:
        """Put other rules in force at once; ``t`` is when, in seconds since the run's origin.

        Args:
            admission: a scenario's whole Admission section, as a dict; what it leaves out takes its default.

        Raises:
            ScenarioError: a value is out of bounds; then nothing was changed.
        """
        self._state.steer(Scenario.from_dict({"admission": admission}).admission)
        t = self._state.now()
        await self._state.tell_workers()
        return {"t": t}

    async def cancel_waiting(self) -> dict[str, Any]:
        """Take what waits out of the queue, and tell those who wait for it."""
        taken = await self._state.queue.cancel_waiting(self._state.run.run)
        self._state.cancelled(taken)
        return {"cancelled": len(taken)}

    async def settled(self, jobs: list[list[str]]) -> dict[str, Any]:
        """A dead worker held these jobs; ``[id, where]``. What it had still announced as finished stays finished."""
        await self._follower.catch_up()
        held = [job_id for job_id, where in jobs if where != "finished"]
        return {"lost": self._state.lost(held)}

    def outstanding(self) -> dict[str, Any]:
        """Jobs of the run that wait, those being decided upon too, or run, as the record has it."""
        run = self._state.run
        if run.record is None:
            return {"waiting": 0, "running": 0}
        found = run.record.outstanding
        return found | {"waiting": found["waiting"] + run.asking}

    async def end(self) -> dict[str, Any]:
        """Close the record; the reply has the gateway's own counts."""
        await self._follower.catch_up()
        run = self._state.run
        clock = "same" if run.record is None else run.record.clock
        rows = 0 if run.record is None else run.record.rows
        self._close()
        return {**run.counts.to_dict(), "clock": clock, "rows": rows}

    async def depth(self) -> dict[str, Any]:
        """Jobs inside, as Redis has it."""
        return {"depth": await self._state.queue.depth()}

    def _close(self) -> None:
        if self._state.run.record is not None:
            self._state.run.record.close()
        self._state.turn_to(self._state.unrecorded())

    async def _redis_time(self, origin: float) -> float:
        """The Redis server's clock at the run's origin (seconds)."""
        before = time.monotonic()
        seconds, micros = await self._state.connection.time()
        now = (before + time.monotonic()) / 2
        return float(seconds) + float(micros) / 1e6 - (now - origin)


def _check_run(run: str) -> None:
    if not (run.isalnum() and run.isascii() and len(run) <= 32):
        raise ScenarioError("run", run, "letters and digits, at most 32", "Use secrets.token_hex(4).")
