"""A limit for RQ: at most ``limit`` jobs waiting and running, exact under any number of producers.

RQ has no such thing. One Lua script decides and writes; a job written this way equals, field by field, one that RQ's
own ``enqueue`` writes. Retries, scheduled jobs and dependents are enqueued by RQ itself and do not pass through it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any, NamedTuple

import redis
import redis.asyncio
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from demo_workers.queueing.tasks import SPARE_TIMEOUT_S, TASKS
from demo_workers.records.events import Outcome

COUNTERS_LIVE_S = 3600
_OUTCOMES = {1: Outcome.ADMITTED, 0: Outcome.SHED, -1: Outcome.DUPLICATE}


class Decision(NamedTuple):
    """What was decided, and how many were inside: with this job when admitted, without it otherwise."""

    outcome: Outcome
    depth: int


@cache
def script(name: str) -> str:
    """The text of a Lua script beside this module."""
    return files(__package__).joinpath(f"{name}.lua").read_text()


class BoundedQueue:
    """An RQ queue with a door.

    Args:
        connection: where it lives.
        name: the RQ queue's name.
        result_ttl_s: how long results, failures and cancelled jobs stay readable (seconds).
    """

    def __init__(self, connection: redis.asyncio.Redis, name: str, *, result_ttl_s: int = 60) -> None:
        self._redis = connection
        self._name, self._ttl = name, result_ttl_s
        # builds job hashes by RQ's public interface; its connection is never opened
        self._queue = Queue(name, connection=redis.Redis(), serializer=JSONSerializer)
        self._key = self._queue.key
        self._counters = f"{name}:counters"
        self._enqueue = connection.register_script(script("bounded_enqueue"))
        self._cancel = connection.register_script(script("cancel_waiting"))

    async def enqueue(
        self,
        task: str,
        args: Mapping[str, Any],
        *,
        job_id: str,
        limit: int | None,
        policy: str = "reject",
    ) -> Decision:
        """Let a job in, or refuse it.

        Args:
            task: name of a registered task.
            args: its arguments, plain JSON values.
            job_id: RQ's job id; one that exists is a duplicate.
            limit: most jobs waiting and running, this one included; None is no limit.
            policy: ``reject`` decides and writes in one step; ``naive`` reads the length and then pushes.
        """
        run = job_id.partition("-")[0]
        fields = self.job_fields(task, args, job_id)
        if policy == "naive":
            return await self._naive(fields, job_id, limit, run)
        keys = self._keys(job_id)
        bound = -1 if limit is None else limit
        found, depth = await self._enqueue(keys=keys, args=[bound, run, job_id, COUNTERS_LIVE_S, *fields])
        return Decision(_OUTCOMES[found], depth)

    async def depth(self) -> int:
        """How many jobs wait or run."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.llen(self._key)
            pipe.llen(f"{self._key}:intermediate")
            pipe.zcard(f"rq:wip:{self._name}")
            return sum(await pipe.execute())

    async def counters(self, run: str) -> dict[str, int]:
        """How often the script admitted, found full, or met a duplicate for a run."""
        names = ("admitted", "full", "duplicate")
        values = await self._redis.hmget(self._counters, [f"{run}:{name}" for name in names])
        return {name: int(value or 0) for name, value in zip(names, values, strict=True)}

    async def cancel_waiting(self, run: str) -> list[str]:
        """Take every waiting job of a run out of the queue, in one step; returns their ids."""
        keys = [self._key, f"rq:canceled:{self._name}"]
        taken = await self._cancel(keys=keys, args=[f"{run}-", "rq:job:", int(time.time()), self._ttl])
        return [job_id.decode() for job_id in taken]

    def job_fields(self, task: str, args: Mapping[str, Any], job_id: str) -> list[Any]:
        """The job hash as RQ would write it: field, value, field, value, …"""
        timeout = ceil(args.get("service_time_s", 0)) + SPARE_TIMEOUT_S
        job = self._queue.create_job(
            TASKS[task].path,
            kwargs=dict(args),
            job_id=job_id,
            timeout=timeout,
            result_ttl=self._ttl,
            failure_ttl=self._ttl,
        )
        job.origin, job.enqueued_at = self._name, now()
        return [part for field in job.to_dict().items() for part in field]

    async def _naive(self, fields: list[Any], job_id: str, limit: int | None, run: str) -> Decision:
        """What most people write first: look, then push. Between the two, others look too."""
        depth = await self.depth()
        full = limit is not None and depth >= limit
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(self._counters, f"{run}:{'full' if full else 'admitted'}", 1)
            pipe.expire(self._counters, COUNTERS_LIVE_S)
            if not full:
                pipe.sadd(Queue.redis_queues_keys, self._key)
                pipe.execute_command("HSET", Job.key_for(job_id), *fields)
                pipe.rpush(self._key, job_id)
            *_, length = await pipe.execute()
        return Decision(Outcome.SHED, depth) if full else Decision(Outcome.ADMITTED, max(depth + 1, int(length)))

    def _keys(self, job_id: str) -> list[Any]:
        queue = self._key
        return [
            queue,
            f"{queue}:intermediate",
            f"rq:wip:{self._name}",
            Job.key_for(job_id),
            Queue.redis_queues_keys,
            self._counters,
        ]
