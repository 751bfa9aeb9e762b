"""A limit for RQ: at most ``limit`` jobs waiting and running, exact under any number of producers.

RQ has no such thing. One Lua script decides and writes, a whole batch in one round trip; a job written this way equals,
field by field, one that RQ's own ``enqueue`` writes. Retries, scheduled jobs and dependents are enqueued by RQ itself
and do not pass through it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
import redis
import redis.asyncio
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from demo_workers.queueing.job_hash import CommonFields, Order, order, whole_hash
from demo_workers.records.events import Outcome

COUNTERS_LIVE_S = 3600
KEYS_LIVE_S = 3600
"""How long an idempotency key is known. Longer than any client of a lesson tries again."""

MAX_BATCH = 256
"""Jobs in one script. Redis does nothing else meanwhile; so many take it a few milliseconds."""

_COUNTERS = {Outcome.ADMITTED: "admitted", Outcome.SHED: "full", Outcome.DUPLICATE: "duplicate"}


class Decision(NamedTuple):
    """What was decided about a job.

    Attributes:
        outcome: admitted, a duplicate, shed because the queue is full, or errored: its key was used for another job.
        depth: jobs inside, with this one when it was admitted.
        job_id: the job's own id; of a duplicate that of the first.
        dropped: ids of the waiting jobs that left for it.
    """

    outcome: Outcome
    depth: int
    job_id: str
    dropped: Sequence[str] = ()


_decisions = msgspec.msgpack.Decoder(list[Decision])


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
        self._redis, self._name = connection, name
        self._ttl = result_ttl_s
        # knows the names of RQ's keys and how a job hash looks; its connection is never opened
        queue = Queue(name, connection=redis.Redis(), serializer=JSONSerializer)
        self._inside = (queue.key, queue.intermediate_queue_key, queue.started_job_registry.key)
        self._canceled = queue.canceled_job_registry.key
        self._counters, self._urgent, self._keys = f"{name}:counters", f"{name}:urgent", f"{name}:key:"
        self._common = CommonFields(queue, result_ttl_s)
        self._enqueue = connection.register_script(script("bounded_enqueue"))
        self._cancel_waiting = connection.register_script(script("cancel_waiting"))
        self._cancel = connection.register_script(script("cancel_job"))

    async def decide(self, orders: Sequence[Order], *, limit: int | None, place: str = "fifo") -> list[Decision]:
        """Let jobs in or refuse them, one after the other but in one step for everybody else.

        Args:
            orders: at most ``MAX_BATCH``.
            limit: most jobs waiting and running; None is no limit.
            place: where a job goes, and at whose cost when the queue is full: one of ``scenario.HOOKS["place"]``.
        """
        queue, intermediate, wip = self._inside
        keys = [queue, intermediate, wip, Queue.redis_queues_keys, self._counters, self._canceled, self._urgent]
        bound = -1 if limit is None else limit
        args: list[Any] = [
            *(bound, place, int(time.time()), self._ttl, COUNTERS_LIVE_S),
            *(Job.redis_job_namespace_prefix, self._keys, KEYS_LIVE_S),
            *(msgspec.msgpack.encode(self._common.now()), msgspec.msgpack.encode([order[:-1] for order in orders])),
            *(order.data for order in orders),
        ]
        return _decisions.decode(await self._enqueue(keys=keys, args=args))

    async def enqueue(
        self, task: str, args: Mapping[str, Any], *, job_id: str, limit: int | None, place: str = "fifo", **more: Any
    ) -> Decision:
        """Let one job in, or refuse it; arguments as of ``job_hash.order`` and ``decide``."""
        (decision,) = await self.decide([order(task, args, job_id, **more)], limit=limit, place=place)
        return decision

    async def look_then_push(self, order: Order, *, limit: int | None) -> Decision:
        """What most people write first. Between the two, others look too, and all of them push."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(Job.key_for(order.job_id))
            self._ask_depth(pipe)
            known, *lists = await pipe.execute()
        depth = _depth(*lists)
        full = limit is not None and depth >= limit
        outcome = Outcome.DUPLICATE if known else Outcome.SHED if full else Outcome.ADMITTED
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(self._counters, f"{order.run}:{_COUNTERS[outcome]}", 1)
            pipe.expire(self._counters, COUNTERS_LIVE_S)
            if outcome is Outcome.ADMITTED:
                pipe.sadd(Queue.redis_queues_keys, self._inside[0])
                pipe.execute_command("HSET", Job.key_for(order.job_id), *whole_hash(order, self._common.now()))
                pipe.rpush(self._inside[0], order.job_id)
                # what was really inside then, which is the point of showing this
                self._ask_depth(pipe)
            replies = await pipe.execute()
        return Decision(outcome, _depth(*replies[-3:]) if outcome is Outcome.ADMITTED else depth, order.job_id)

    async def depth(self) -> int:
        """How many jobs wait or run."""
        async with self._redis.pipeline(transaction=True) as pipe:
            self._ask_depth(pipe)
            return _depth(*await pipe.execute())

    async def counters(self, run: str) -> dict[str, int]:
        """How often the script admitted, found full, met a duplicate, or dropped a job for another, for a run."""
        names = (*_COUNTERS.values(), "dropped")
        values = await self._redis.hmget(self._counters, [f"{run}:{name}" for name in names])
        return {name: int(value or 0) for name, value in zip(names, values, strict=True)}

    async def cancel_waiting(self, run: str) -> list[str]:
        """Take every waiting job of a run out of the queue, in one step; returns their ids."""
        args: list[Any] = [f"{run}-", Job.redis_job_namespace_prefix, int(time.time()), self._ttl]
        return [
            job_id.decode() for job_id in await self._cancel_waiting(keys=[self._inside[0], self._canceled], args=args)
        ]

    async def cancel(self, job_id: str) -> tuple[bool, str | None]:
        """Take one job out of the queue; whether it was still there, and its status before, None if unknown."""
        keys = [self._inside[0], self._canceled, Job.key_for(job_id)]
        taken, *status = await self._cancel(keys=keys, args=[job_id, self._name, int(time.time()), self._ttl])
        return taken == 1, status[0].decode() if status and status[0] else None

    def _ask_depth(self, pipe: Any) -> None:
        queue, intermediate, wip = self._inside
        pipe.llen(queue)
        pipe.lrange(intermediate, 0, -1)
        pipe.zrange(wip, 0, -1)


def _depth(waiting: int, popped: list[bytes], running: list[bytes]) -> int:
    """A job that a worker is just registering stands in both lists, and counts once."""
    return waiting + len(running) + len(set(popped) - {entry.split(b":")[0] for entry in running})
