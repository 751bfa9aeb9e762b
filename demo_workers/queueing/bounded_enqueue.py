"""A limit for RQ: at most ``limit`` jobs waiting and running, exact under any number of producers.

RQ has no such thing. One Lua script decides and writes; a job written this way equals, field by field, one that RQ's
own ``enqueue`` writes. Retries, scheduled jobs and dependents are enqueued by RQ itself and do not pass through it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import redis
import redis.asyncio
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from demo_workers.queueing.tasks import TASKS
from demo_workers.records.events import Outcome

COUNTERS_LIVE_S = 3600
_OUTCOMES = {1: Outcome.ADMITTED, 0: Outcome.SHED, -1: Outcome.DUPLICATE}
_COUNTERS = {Outcome.ADMITTED: "admitted", Outcome.SHED: "full", Outcome.DUPLICATE: "duplicate"}


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
        self._inside = (self._queue.key, self._queue.intermediate_queue_key, self._queue.started_job_registry.key)
        self._counters = f"{name}:counters"
        self._enqueue = connection.register_script(script("bounded_enqueue"))
        self._cancel = connection.register_script(script("cancel_waiting"))
        self._moulds: dict[str, Job] = {}

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
            args: its arguments as ``tasks.decode_args`` returns them.
            job_id: RQ's job id, which begins with the run's name and a dash; one that exists is a duplicate.
            limit: most jobs waiting and running, this one included; None is no limit.
            policy: ``reject`` decides and writes in one step; ``naive`` reads the length and then pushes.
        """
        run = job_id.partition("-")[0]
        fields = self.job_fields(task, args, job_id)
        if policy == "naive":
            return await self._naive(fields, job_id, limit, run)
        keys = [*self._inside, Job.key_for(job_id), Queue.redis_queues_keys, self._counters]
        bound = -1 if limit is None else limit
        found, depth = await self._enqueue(keys=keys, args=[bound, run, job_id, COUNTERS_LIVE_S, *fields])
        return Decision(_OUTCOMES[found], depth)

    async def depth(self) -> int:
        """How many jobs wait or run."""
        async with self._redis.pipeline(transaction=True) as pipe:
            self._ask_depth(pipe)
            return _depth(*await pipe.execute())

    async def counters(self, run: str) -> dict[str, int]:
        """How often the script admitted, found full, or met a duplicate for a run."""
        names = _COUNTERS.values()
        values = await self._redis.hmget(self._counters, [f"{run}:{name}" for name in names])
        return {name: int(value or 0) for name, value in zip(names, values, strict=True)}

    async def cancel_waiting(self, run: str) -> list[str]:
        """Take every waiting job of a run out of the queue, in one step; returns their ids."""
        keys = [self._queue.key, self._queue.canceled_job_registry.key]
        args: list[Any] = [f"{run}-", Job.redis_job_namespace_prefix, int(time.time()), self._ttl]
        return [job_id.decode() for job_id in await self._cancel(keys=keys, args=args)]

    def job_fields(self, task: str, args: Mapping[str, Any], job_id: str) -> list[Any]:
        """The job hash as RQ would write it: field, value, field, value, …"""
        # making a Job costs as much as filling one in, so each task has one that is filled in again and again
        job = self._moulds.get(task) or self._mould(task)
        job.id, job.kwargs, job.timeout = job_id, dict(args), TASKS[task].timeout_s(args)
        job.description = job.get_call_string()
        job.created_at = job.enqueued_at = now()
        return [part for field in job.to_dict().items() for part in field]

    def _mould(self, task: str) -> Job:
        job = self._queue.create_job(TASKS[task].path, result_ttl=self._ttl, failure_ttl=self._ttl)
        self._moulds[task] = job
        return job

    async def _naive(self, fields: list[Any], job_id: str, limit: int | None, run: str) -> Decision:
        """What most people write first: look, then push. Between the two, others look too."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(Job.key_for(job_id))
            self._ask_depth(pipe)
            known, *lists = await pipe.execute()
        depth = _depth(*lists)
        full = limit is not None and depth >= limit
        outcome = Outcome.DUPLICATE if known else Outcome.SHED if full else Outcome.ADMITTED
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(self._counters, f"{run}:{_COUNTERS[outcome]}", 1)
            pipe.expire(self._counters, COUNTERS_LIVE_S)
            if outcome is Outcome.ADMITTED:
                pipe.sadd(Queue.redis_queues_keys, self._queue.key)
                pipe.execute_command("HSET", Job.key_for(job_id), *fields)
                pipe.rpush(self._queue.key, job_id)
                # what was really inside then, which is the point of showing this
                self._ask_depth(pipe)
            replies = await pipe.execute()
        return Decision(outcome, _depth(*replies[-3:]) if outcome is Outcome.ADMITTED else depth)

    def _ask_depth(self, pipe: Any) -> None:
        queue, intermediate, wip = self._inside
        pipe.llen(queue)
        pipe.lrange(intermediate, 0, -1)
        pipe.zrange(wip, 0, -1)


def _depth(waiting: int, popped: list[bytes], running: list[bytes]) -> int:
    """A job that a worker is just registering stands in both lists, and counts once."""
    return waiting + len(running) + len(set(popped) - {entry.split(b":")[0] for entry in running})
