"""Takes the jobs of a dead worker out of its hands, at once.

RQ would do it too, after its next maintenance, and for a job popped but not yet registered after a minute; meanwhile
the job would hold a slot of the limit.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from rq.utils import now, utcformat

from demo_workers.queueing.bounded_enqueue import script

LOOK_S = 0.5
"""A living worker registers a job it has popped within milliseconds; one still there after this is orphaned."""

KEEP_S = 60


Redis = Any
"""A ``redis.asyncio.Redis``; its declared replies are unions that no caller can narrow."""


class Settled(NamedTuple):
    """A job a dead worker held, and where: ``intermediate`` (popped), ``running`` or ``finished``."""

    job_id: str
    where: str


async def settle(connection: Redis, queue: str, worker: str) -> list[Settled]:
    """Account for everything a dead worker held; its slots are free afterwards.

    Args:
        connection: where the queue lives.
        queue: the RQ queue's name.
        worker: the dead worker's name.
    """
    popped = await _popped(connection, queue)
    settled = [
        await _bury(connection, queue, job_id, execution)
        for job_id, execution, holder in await _running(connection, queue)
        if holder == worker
    ]
    if popped:
        # popped by whom is written nowhere: what a living worker popped will have been registered by now
        await asyncio.sleep(LOOK_S)
        held = {job_id for job_id, _, _ in await _running(connection, queue)}
        for job_id in popped & await _popped(connection, queue) - held - {job.job_id for job in settled}:
            settled.append(await _bury(connection, queue, job_id, ""))
    await _unregister(connection, queue, worker)
    return settled


async def _popped(connection: Redis, queue: str) -> set[str]:
    entries = await connection.lrange(f"rq:queue:{queue}:intermediate", 0, -1)
    return {entry.decode() for entry in entries}


async def _running(connection: Redis, queue: str) -> list[tuple[str, str, str]]:
    """(job, execution, worker's name) of every registered execution."""
    found = []
    for entry in await connection.zrange(f"rq:wip:{queue}", 0, -1):
        job_id, execution = entry.decode().split(":")
        holder = await connection.hget(f"rq:execution:{job_id}:{execution}", "worker_name")
        found.append((job_id, execution, (holder or b"").decode()))
    return found


async def _bury(connection: Redis, queue: str, job_id: str, execution: str) -> Settled:
    keys = [
        f"rq:wip:{queue}",
        f"rq:queue:{queue}:intermediate",
        f"rq:failed:{queue}",
        f"rq:job:{job_id}",
        f"rq:execution:{job_id}:{execution}",
    ]
    entry = f"{job_id}:{execution}" if execution else ""
    args = [entry, job_id, int(time.time()), utcformat(now()), KEEP_S]
    where = await connection.register_script(script("bury"))(keys=keys, args=args)
    return Settled(job_id, where.decode())


async def _unregister(connection: Redis, queue: str, worker: str) -> None:
    key = f"rq:worker:{worker}"
    async with connection.pipeline(transaction=True) as pipe:
        pipe.srem("rq:workers", key)
        pipe.srem(f"rq:workers:{queue}", key)
        pipe.delete(key, f"{key}:executions")
        await pipe.execute()
