"""Section c: Redis itself is killed in mid-job, and started again on what it has written down. Who notices?

The server is one of this experiment's own and writes each command through to the disk before it answers. Two workers
have a letter each when it dies. The client of one tries again when its connection breaks; that of the other gives up,
as the one of RQ's own command does. Redis is back once that worker has ended.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

from rq import Retry

from demo_workers.queueing import letters
from demo_workers.queueing.letters import Entry
from demo_workers.services.servers.redis_server import RedisServer
from demo_workers.stack.workforce import WorkerKind, Workforce
from lessons.chapter import WAIT_S
from lessons.private_server import private_server
from lessons.task_queues.fates import GIVES_UP, HARM_S, REDIS, Fate, first_word
from lessons.task_queues.lesson import Crew, Lesson, crew_of, until

WORK_S = 0.9
"""Less than the second after which a worker gives a sign of life: the letter itself is what Redis misses first."""

ENDS_S = 5.0
"""Give Redis back after this even if the worker whose client gives up still lives."""

LOOK_S = 0.02
TRIES_AGAIN, GIVES_IN = WorkerKind("fork", "classroom"), WorkerKind("fork", "classroom", retries=0)


async def restart_redis(lesson: Lesson, moments: Mapping[str, float] | None = None) -> list[Fate]:
    """Kill a Redis while two workers have a letter each, start it again, and see what becomes of the letters.

    Args:
        lesson: has the directory for logs.
        moments: how long the letters are under way when Redis is killed, seconds, by the name ``fates.REDIS``; less
            than ``WORK_S``.
    """
    logs, queue = lesson.stack.runtime, f"restart-{secrets.token_hex(3)}"
    async with (
        private_server("aof_always") as server,
        crew_of(server.address, logs, queue, first=100) as patient,
        crew_of(server.address, logs, queue, first=101) as hasty,
    ):
        await asyncio.gather(patient.workforce.employ(1, TRIES_AGAIN), hasty.workforce.employ(1, GIVES_IN))
        await hasty.workforce.hold()  # whoever has ended is not replaced
        return await _Restart(server, patient, hasty).play((moments or {}).get(REDIS, HARM_S))


class _Restart:
    """Two letters of one queue, and the death of its server."""

    def __init__(self, server: RedisServer, patient: Crew, hasty: Crew) -> None:
        self._server, self._crew, self._hasty = server, patient, hasty
        self._patient_name = patient.workforce.names[0]
        self._began = time.monotonic()
        work = {"text": "Thank you", "work_s": WORK_S}
        self._jobs = {
            to: patient.queue.enqueue(letters.send, kwargs={"to": to, **work}, retry=Retry(max=1))
            for to in ("ada", "bob")
        }

    async def play(self, harm_s: float) -> list[Fate]:
        await asyncio.to_thread(until, lambda: len(self._entries("begun")) == len(self._jobs), "two letters begun")
        begun = await asyncio.to_thread(self._entries, "begun")
        await asyncio.sleep(max(0.0, max(entry.t for entry in begun) + harm_s - time.monotonic()))
        before = await asyncio.to_thread(self._look)
        self._server.kill()
        harmed = self._now()
        await _ended(self._hasty.workforce)
        await self._server.restart()
        back = self._now()
        kept = await asyncio.to_thread(self._statuses)
        noticed = await self._watch(before)
        return await asyncio.to_thread(self._fates, begun, kept, noticed, harmed, back)

    async def _watch(self, before: dict[str, Any]) -> dict[str, float]:
        """When the record said something new of each letter; returns when both are settled."""
        noticed: dict[str, float] = {}
        deadline = time.monotonic() + WAIT_S
        while not await asyncio.to_thread(self._settled) and time.monotonic() < deadline:
            for to, said in (await asyncio.to_thread(self._look)).items():
                if said != before[to]:
                    noticed.setdefault(to, self._now())
            await asyncio.sleep(LOOK_S)
        return noticed

    def _look(self) -> dict[str, Any]:
        """All that is on record of each letter: RQ's word, the last sign of life of its first worker, its lines."""
        lines = letters.read(self._crew.connection, self._crew.queue.name)
        first = {entry.to: entry.by for entry in lines[::-1] if entry.what == "begun"}
        said = {}
        for to, job in self._jobs.items():
            words = self._crew.connection.hmget(job.key, "status", "retries_left")
            sign = self._crew.connection.hget(f"rq:worker:{first.get(to)}", "last_heartbeat")
            said[to] = words, sign, [entry for entry in lines if entry.to == to]
        return said

    def _settled(self) -> bool:
        return set(self._statuses().values()) <= {"finished", "failed"}

    def _statuses(self) -> dict[str, str]:
        """What RQ says of each job; empty where it knows nothing."""
        said: dict[str, Any] = {to: self._crew.connection.hget(job.key, "status") for to, job in self._jobs.items()}
        return {to: (status or b"").decode() for to, status in said.items()}

    def _fates(
        self, begun: list[Entry], kept: dict[str, str], noticed: dict[str, float], harmed: float, back: float
    ) -> list[Fate]:
        fates, ends = [], self._statuses()
        for entry in begun:
            lines = [line for line in self._entries() if line.to == entry.to]
            times = {what: tuple(line.t - self._began for line in lines if line.what == what) for what in _KINDS}
            fates.append(
                Fate(
                    REDIS if entry.by == self._patient_name else GIVES_UP,
                    times["begun"],
                    times["sent"],
                    harmed,
                    noticed.get(entry.to, float("nan")),
                    back,
                    ends[entry.to],
                    first_word(self._jobs[entry.to]),
                    kept[entry.to],
                )
            )
        return sorted(fates, key=lambda fate: fate.name == GIVES_UP)

    def _entries(self, *kinds: str) -> list[Entry]:
        lines = letters.read(self._crew.connection, self._crew.queue.name)
        return [line for line in lines if line.what in (kinds or _KINDS)]

    def _now(self) -> float:
        return time.monotonic() - self._began


_KINDS = ("begun", "sent")


async def _ended(workforce: Workforce) -> None:
    """Wait until the worker whose client gives up has ended, or for long enough."""
    deadline = time.monotonic() + ENDS_S
    while workforce.names and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_S)
