"""Jobs of whose end nobody has told: RQ's own fields must do.

``rq worker`` announces nothing. While such a stranger is there, RQ's registries of this queue are looked at a few
times a second; a job that began or ended there is announced here, with the times that RQ wrote into its fields. Those
are of that worker's wall clock, which is set against the Redis server's at the run's origin; so the run says ``clock:
estimated``.

Seldom, they are looked at all the same: for a stranger that came and went between two looks, for one of our workers
that died where no stack settles for it, and for announcements that Redis had to forget because this process stood
still. What the record already knows is left alone.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from demo_workers.queueing.announce import Announcement
from demo_workers.queueing.strangers import number, strangers
from demo_workers.services.gateway.news.looking import job_key, look
from demo_workers.services.gateway.state import State

LOOK_S = 0.2
SELDOM_S = 2.0
STAY_S = 10.0
"""How long after the last stranger was seen one looks as if it were there."""
MARGIN_S = 2
"""RQ's scores are whole seconds of the clock of whoever writes them: one a little lower may come a little later."""
FIRST_NUMBER = 1 << 20
"""Strangers are numbered from here in the record."""
MOST_REMEMBERED = 20_000
BOOT = "another clock"
"""In place of a machine's name: whatever the host, these times are not of its monotonic clock."""
_REGISTRIES = ("finished", "failed")


class Unannounced:
    """Watches for them.

    Args:
        state: hears of them as of all others.
        catch_up: returns when everything announced so far was heard.
    """

    def __init__(self, state: State, catch_up: Callable[[], Awaitable[None]]) -> None:
        self._state, self._catch_up = state, catch_up
        queue = self._queue = state.queue_name
        self._wip = f"rq:wip:{queue}"
        self._highest = {f"rq:{name}:{queue}": -math.inf for name in _REGISTRIES}
        self._numbers: dict[str, int] = {}
        self._done: dict[str, None] = {}  # jobs with whose end this has nothing more to do
        self._begun: dict[str, None] = {}  # jobs whose start was announced here
        self._stranger_s = self._look_s = -math.inf

    async def watch(self) -> None:
        """Look for ever; a server that has gone is another's to tell."""
        while True:
            try:
                if await self._due():
                    await self._look()
            except (RedisError, OSError):
                pass
            await asyncio.sleep(LOOK_S)

    async def _due(self) -> bool:
        now = time.monotonic()
        if await strangers(self._state.connection, self._queue):
            self._stranger_s = now
        return now - self._stranger_s < STAY_S or now - self._look_s > SELDOM_S

    async def _look(self) -> None:
        async with self._state.connection.pipeline(transaction=True) as pipe:
            pipe.zrange(self._wip, 0, -1)
            for key, highest in self._highest.items():
                pipe.zrange(key, highest - MARGIN_S, "+inf", byscore=True, withscores=True)
            running, *ended = await pipe.execute()
        at_work = {entry.split(b":")[0].decode() for entry in running}
        over = {job.decode() for entries in ended for job, _ in entries}
        if self._look_s == -math.inf:
            self._done |= dict.fromkeys(over)  # from before this process began
        await self._hear(sorted((at_work | over) - self._done.keys()), over)
        for key, entries in zip(self._highest, ended, strict=True):
            self._highest[key] = max([score for _, score in entries], default=self._highest[key])
        self._look_s = time.monotonic()

    async def _hear(self, jobs: list[str], over: set[str]) -> None:
        """Tell of strangers' jobs, and of those of ours that are over and of which the record does not know it."""
        async with self._state.connection.pipeline(transaction=False) as pipe:
            for job_id in jobs:
                pipe.hget(job_key(job_id), "worker_name")
            workers = await pipe.execute() if jobs else []
        ended: list[str] = []
        for job_id, worker in zip(jobs, workers, strict=True):
            # of a job whose work horse died the name is empty
            if worker and number(self._queue, worker.decode()) is None:
                await self._tell(job_id)
            elif job_id in over:
                ended.append(job_id)
        if ended:
            await self._catch_up()
        for job_id in ended:
            if self._state.is_open(job_id):
                await self._tell(job_id)
            _remember(self._done, job_id)

    async def _tell(self, job_id: str) -> None:
        job = await look(self._state, job_id)
        if job is None:
            _remember(self._done, job_id)  # it is of another queue, or has expired
            return
        if "started_at" in job and job_id not in self._begun and not self._state.is_running(job_id):
            _remember(self._begun, job_id)
            self._state.heard(self._announcement(job_id, job, "started", job["started_at"]))
        if job["status"] in ("finished", "failed", "stopped"):
            _remember(self._done, job_id)
            if "ended_at" in job:
                self._state.heard(self._announcement(job_id, job, "finished", job["ended_at"]))
            else:
                self._state.lost([job_id])  # given up by RQ: its worker died, or was told to stop

    def _announcement(self, job_id: str, job: dict[str, Any], kind: str, when: str) -> Announcement:
        worker = str(job.get("worker", "stranger"))
        own = number(self._queue, worker)
        ok = job["status"] == "finished"
        return Announcement(
            kind=kind,
            job_id=job_id,
            worker=worker,
            number=self._numbers.setdefault(worker, FIRST_NUMBER + len(self._numbers)) if own is None else own,
            t_monotonic=math.nan,
            boot=BOOT,
            ok=ok,
            result=msgspec.json.encode(job.get("result" if ok else "error")).decode(),
            stream_ms=datetime.fromisoformat(when).timestamp() * 1000,
        )


def _remember(jobs: dict[str, None], job_id: str) -> None:
    jobs[job_id] = None
    if len(jobs) > MOST_REMEMBERED:
        del jobs[next(iter(jobs))]
