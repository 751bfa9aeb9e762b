"""Jobs that somebody else's RQ worker has taken: ``rq worker`` announces nothing, so RQ's own fields must do.

Such workers are known by their names. While one is there, RQ's registries of this queue are looked at a few times a
second; a job that began or ended there, and that nobody announced, is announced here, with the times that RQ wrote
into its fields. Those are of that worker's wall clock, so the run says ``clock: estimated``.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from demo_workers.queueing.announce import Announcement
from demo_workers.services.gateway.looking import look
from demo_workers.services.gateway.state import State

LOOK_S = 0.2
STAY_S = 10.0
"""How long after the last stranger was seen the registries are still looked at."""
FIRST_NUMBER = 1 << 20
"""Strangers are numbered from here in the record."""
MOST_REMEMBERED = 20_000
BOOT = "another clock"
"""In place of a machine's name: whatever the host, these times are not of its monotonic clock."""
_ENDS = ("finished", "failed")


class Unannounced:
    """Watches for the jobs of strangers.

    Args:
        state: hears of them as of all others.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        queue = state.queue_name
        self._ours = re.compile(re.escape(queue) + r"-w\d+")
        self._workers = f"rq:workers:{queue}"
        self._wip = f"rq:wip:{queue}"
        self._registries = [f"rq:{end}:{queue}" for end in _ENDS]
        self._numbers: dict[str, int] = {}
        self._told: dict[tuple[str, str], None] = {}  # (job, started or finished) that were announced here
        self._last_stranger_s = -STAY_S

    async def watch(self) -> None:
        """Look for ever; a server that has gone is another's to tell."""
        while True:
            try:
                if await self._strangers():
                    await self._look()
            except (RedisError, OSError):
                pass
            await asyncio.sleep(LOOK_S)

    async def _strangers(self) -> bool:
        """Whether a worker that announces nothing is here, or was a moment ago."""
        found: Any = await self._state.connection.smembers(self._workers)
        names = [key.decode().removeprefix("rq:worker:") for key in found]
        if any(not self._ours.fullmatch(name) for name in names):
            self._last_stranger_s = time.monotonic()
        return time.monotonic() - self._last_stranger_s < STAY_S

    async def _look(self) -> None:
        async with self._state.connection.pipeline(transaction=True) as pipe:
            pipe.zrange(self._wip, 0, -1)
            for key in self._registries:
                pipe.zrange(key, 0, -1)
            running, *ended = await pipe.execute()
        at_work = {entry.split(b":")[0].decode() for entry in running}
        over = {job.decode() for jobs in ended for job in jobs}
        for job_id in sorted(at_work | over):
            if (job_id, "finished") not in self._told:
                await self._tell(job_id)

    async def _tell(self, job_id: str) -> None:
        job = await look(self._state, job_id)
        if job is None or self._ours.fullmatch(job.get("worker", "")):
            self._remember(job_id, "finished")  # announced by its own worker, or none of this queue
            return
        if "started_at" in job and (job_id, "started") not in self._told:
            self._remember(job_id, "started")
            self._state.heard(self._announcement(job_id, job, "started", job["started_at"]))
        if job["status"] in _ENDS and "ended_at" in job:
            self._remember(job_id, "finished")
            self._state.heard(self._announcement(job_id, job, "finished", job["ended_at"]))

    def _announcement(self, job_id: str, job: dict[str, Any], kind: str, when: str) -> Announcement:
        worker = str(job.get("worker", "stranger"))
        ok = job["status"] == "finished"
        return Announcement(
            kind=kind,
            job_id=job_id,
            worker=worker,
            number=self._numbers.setdefault(worker, FIRST_NUMBER + len(self._numbers)),
            t_monotonic=float("nan"),
            boot=BOOT,
            ok=ok,
            result=msgspec.json.encode(job.get("result" if ok else "error")).decode(),
            stream_ms=_milliseconds(when),
        )

    def _remember(self, job_id: str, kind: str) -> None:
        self._told[job_id, kind] = None
        if len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]


def _milliseconds(when: str) -> float:
    """RQ's time, which is RFC 3339 in UTC, as milliseconds since 1970."""
    return datetime.fromisoformat(when.replace("Z", "+00:00")).astimezone(UTC).timestamp() * 1000
