"""Looks at Redis ten times a second, without asking anyone of ours.

It reads RQ's own keys with plain Redis commands and shares no code with what writes the record.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from array import array
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from demo_workers.queueing.connection import connect_async
from demo_workers.records.witnesses import Witnesses

PERIOD_S = 0.1
MARGIN_S = 2
"""RQ's scores are whole seconds of the clock of whoever writes them: one a little lower may come a little later."""
Pair = tuple[int, int]


class RedisWitness:
    """Samples one run's queue and collects the jobs that RQ says it finished, failed or cancelled.

    Args:
        address: the Redis server.
        queue: name of the RQ queue.
        run: the run's identifier, the first part of its job ids.
        origin: CLOCK_MONOTONIC seconds of the run's second 0.
        keep_s: how long RQ keeps a job in its registries (seconds). A witness that has looked away for longer, because
            the machine slept or its process was busy, cannot tell about jobs.
    """

    def __init__(self, address: Mapping[str, str], queue: str, run: str, origin: float, keep_s: float) -> None:
        self._redis = connect_async(dict(address))
        self._queue, self._run, self._origin = queue, run, origin
        # flat arrays: a run of an hour must not fill its owner's memory
        self._samples = array("d")
        self._jobs = {name: array("q") for name in ("finished", "failed", "canceled")}
        self._highest: dict[str, float] = dict.fromkeys(self._jobs, -math.inf)
        self._there: dict[str, set[bytes]] = {name: set() for name in self._jobs}  # at the last look
        self._longest_s, self._looked = keep_s - MARGIN_S, time.time()
        self._blind = False
        self._task: asyncio.Task[None] | None = None
        self.dead = False

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self, settle_s: float = 1.0) -> None:
        """Look until nothing is inside or ``settle_s`` is over, then close. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        deadline = time.monotonic() + settle_s
        while not self.dead and await self._guarded_look() > 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await self._redis.aclose()

    async def counts(self, counters: Mapping[str, int] | None, others: Mapping[str, Any]) -> Witnesses:
        """Everything seen, with the counts that others kept."""
        silent, flat = self.dead, iter(self._samples)
        blind = silent or self._blind
        return Witnesses(
            script=None if silent else counters,
            rq_finished=None if blind else self._pairs("finished"),
            rq_failed=None if blind else self._pairs("failed"),
            rq_canceled=None if blind else self._pairs("canceled"),
            clients=others.get("clients"),
            gateway=others.get("gateway"),
            samples=[(t, int(waiting), int(inside)) for t, waiting, inside in zip(flat, flat, flat, strict=True)],
        )

    def _pairs(self, registry: str) -> list[Pair]:
        return [(packed >> 16, packed & 0xFFFF) for packed in sorted(set(self._jobs[registry]))]

    async def _watch(self) -> None:
        while not self.dead:
            await self._guarded_look()
            await asyncio.sleep(PERIOD_S)

    async def _guarded_look(self) -> int:
        """How many are inside; a dead server makes the witness silent, not the run fail (others report that)."""
        try:
            return await self._look()
        except (RedisError, OSError):
            self.dead = True
            return 0

    async def _look(self) -> int:
        key = f"rq:queue:{self._queue}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.llen(key)
            pipe.lrange(f"{key}:intermediate", 0, -1)
            pipe.zrange(f"rq:wip:{self._queue}", 0, -1)
            for name, score in self._highest.items():
                pipe.zrange(f"rq:{name}:{self._queue}", score - MARGIN_S, "+inf", byscore=True, withscores=True)
            waiting, popped, running, *registries = await pipe.execute()
        now = time.time()  # the clock by which Redis and RQ forget, which goes on while a machine sleeps
        self._blind |= now - self._looked > self._longest_s
        self._looked = now
        # a job is in both for a moment; a wip entry is "job:execution"
        inside = waiting + len(set(popped) | {entry.split(b":")[0] for entry in running})
        self._samples.extend((round(time.monotonic() - self._origin, 4), waiting, inside))
        for name, entries in zip(self._highest, registries, strict=True):
            self._there[name], known = {job for job, _ in entries}, self._there[name]
            self._highest[name] = max([score for _, score in entries], default=self._highest[name])
            for job in self._there[name] - known:
                self._keep(name, job)
        return int(inside)

    def _keep(self, registry: str, job: bytes) -> None:
        run, _, place = job.decode().partition("-")
        if run == self._run:
            request, attempt = place.split("-")
            self._jobs[registry].append(int(request) << 16 | int(attempt))
