"""Takes the jobs of a dead worker out of its hands, at once.

RQ would do it too, after its next maintenance, and for a job popped but not yet registered after a minute; meanwhile
the job would hold a slot of the limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any, NamedTuple

import redis
from rq import Queue
from rq.defaults import RQ_KEY_PREFIX
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.job import Job
from rq.results import Result
from rq.utils import now
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from demo_workers.queueing.bounded_enqueue import script

LOOK_S = 0.5
"""A living worker registers a job it has popped within milliseconds; one still there after this is orphaned."""
LOOK_AGAIN_S = 0.01

KEEP_S = 60
"""How long a failure stays readable where the job does not say."""

Redis = Any
"""A ``redis.asyncio.Redis``; its declared replies are unions that no caller can narrow."""


class Settled(NamedTuple):
    """A job a dead worker held, and where: ``intermediate`` (popped), ``running`` or ``finished``."""

    job_id: str
    where: str


async def settle(
    connection: Redis, queue: str, worker: str, *, live_workers: Collection[str] | None = None
) -> list[Settled]:
    """Account for everything a dead worker held; its slots are free afterwards.

    Args:
        connection: where the queue lives.
        queue: the RQ queue's name.
        worker: the dead worker's name.
        live_workers: names of those that may have popped a job and not registered it yet; None is not known. When
            there are none, nothing is waited for.
    """
    nobody_lives = live_workers is not None and not live_workers
    return await _Estate(connection, queue, worker).settle(0.0 if nobody_lives else LOOK_S)


async def at_work(connection: Redis, worker: str) -> bool:
    """Whether a worker has a job in hand."""
    return bool(await connection.scard(WORKER_EXECUTIONS_KEY_TEMPLATE.format(worker)))


class _Estate:
    """What a dead worker has left behind."""

    def __init__(self, connection: Redis, queue: str, worker: str) -> None:
        self._redis, self._worker = connection, worker
        # knows RQ's names of keys; its connection is never opened
        self._queue = Queue(queue, connection=redis.Redis())
        self._wip = self._queue.started_job_registry.key
        self._held_key = WORKER_EXECUTIONS_KEY_TEMPLATE.format(worker)
        self._bury_script = connection.register_script(script("bury"))

    async def settle(self, patience_s: float) -> list[Settled]:
        # what the worker had sent off before it died is done once this is answered, so the looks below see it
        await self._redis.ping()
        settled = [await self._bury(*entry.split(":")) for entry in await self._held()]
        settled += [await self._bury(job_id, "") for job_id in await self._orphaned(patience_s)]
        await self._unregister()
        return [job for job in settled if job is not None]

    async def _held(self) -> list[str]:
        """Its registered executions, as ``job:execution``."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.smembers(self._held_key)
            pipe.zrange(self._wip, 0, -1)
            mine, running = await pipe.execute()
        # its own list and the execution can expire before wip does; the job remembers who took it
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in running:
                pipe.hget(f"{RQ_KEY_PREFIX}:execution:{entry.decode()}", "worker_name")
                pipe.hget(Job.key_for(entry.decode().split(":")[0]), "worker_name")
            names = await pipe.execute() if running else []
        holders = (execution or job for execution, job in zip(names[::2], names[1::2], strict=True))
        name = self._worker.encode()
        mine |= {entry for entry, holder in zip(running, holders, strict=True) if holder == name}
        return sorted(entry.decode() for entry in mine)

    async def _orphaned(self, patience_s: float) -> set[str]:
        """Jobs popped but not registered. By whom is written nowhere: those of the living vanish from here soon."""
        deadline = time.monotonic() + patience_s
        orphans = await self._unregistered()
        while orphans and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_AGAIN_S)
            orphans &= await self._unregistered()
        return orphans

    async def _unregistered(self) -> set[str]:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.lrange(self._queue.intermediate_queue_key, 0, -1)
            pipe.zrange(self._wip, 0, -1)
            popped, running = await pipe.execute()
        return {job.decode() for job in popped} - {entry.decode().split(":")[0] for entry in running}

    async def _bury(self, job_id: str, execution: str) -> Settled | None:
        text = f"Moved to FailedJobRegistry, due to AbandonedJobError: worker {self._worker} has died, at {now()}"
        result = Result(job_id, Result.Type.FAILED, self._queue.connection, exc_string=text).serialize()
        keys = [
            self._wip,
            self._queue.intermediate_queue_key,
            self._queue.failed_job_registry.key,
            Job.key_for(job_id),
            Result.get_key(job_id),  # type: ignore[no-untyped-call]  # RQ leaves it untyped
            f"{RQ_KEY_PREFIX}:executions:{job_id}",
            f"{RQ_KEY_PREFIX}:execution:{job_id}:{execution}",
        ]
        fields = [part for field in result.items() for part in field]
        where = await self._bury_script(keys=keys, args=[job_id, execution, int(time.time()), KEEP_S, *fields])
        return Settled(job_id, where.decode()) if where is not None else None

    async def _unregister(self) -> None:
        key = f"{RQ_KEY_PREFIX}:worker:{self._worker}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.srem(REDIS_WORKER_KEYS, key)
            pipe.srem(WORKERS_BY_QUEUE_KEY % self._queue.name, key)
            pipe.delete(key, self._held_key)
            # if it died at its housekeeping, nobody would keep house for fifteen minutes
            pipe.delete(self._queue.registry_cleaning_key)
            await pipe.execute()
