"""A real Redis and real workers, as a test wants them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from demo_workers.queueing.announce import Announcement, decode, stream_key
from demo_workers.queueing.bounded_enqueue import BoundedQueue, Decision
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.queueing.job_hash import order
from demo_workers.services.children.child import Child
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

RUN = "abcd1234"
QUEUE = "wb-00000001"


class Place:
    """Start it, use it, stop it.

    Attributes:
        redis: an asyncio client.
        rq: a blocking client, as stock RQ wants it.
        queue: the queue with a door.
        stock: the same queue as RQ sees it.
    """

    def __init__(self) -> None:
        self.runtime = make_runtime_directory()
        self.server = RedisServer(self.runtime, environ={})
        self._workers: list[Child] = []
        self.news: list[dict[str, Any]] = []

    async def start(self) -> None:
        await self.server.start()
        self.address = self.server.address
        self.redis: Any = connect_async(self.address)
        self.rq: redis.Redis = connect(self.address)
        self.queue = BoundedQueue(self.redis, QUEUE)
        self.stock = Queue(QUEUE, connection=self.rq, serializer=JSONSerializer)
        # a URL with a password, for programs of others
        self.url = f"unix://:{self.address['password']}@{self.address['unix_socket_path']}"

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop(grace_s=0) for worker in self._workers))
        await self.redis.aclose()
        self.rq.close()
        await self.server.stop()

    async def worker(self, kind: str = "simple", **config: Any) -> Child:
        """A worker that has said that it is ready; what it tells later is in ``news``."""
        number = len(self._workers)
        config = {"address": self.address, "queue": QUEUE, "number": number, "class": kind} | config
        log = self.runtime / f"worker-{number}.log"
        module, config = "demo_workers.queueing.worker", {"timings": "classroom"} | config
        child = Child(f"worker {number}", module, config, log, on_event=self.news.append)
        self._workers.append(child)
        self.ready = await child.start()
        return child

    async def post(
        self, request: int, service_time_s: float = 0.0, *, kind: str = "sleep", limit: int | None = None
    ) -> Decision:
        """One job of the run ``RUN``."""
        args = {"service_time_s": service_time_s, "kind": kind}
        return await self.queue.enqueue("work", args, job_id=f"{RUN}-{request}-1", limit=limit)

    async def let_in(
        self, policy: str, task: str, args: Mapping[str, Any], job_id: str, limit: int | None = None, **more: Any
    ) -> Decision:
        """One job by the naive way or by the script, with any of the places."""
        if policy == "naive":
            return await self.queue.look_then_push(order(task, args, job_id, **more), limit=limit)
        return await self.queue.enqueue(task, args, job_id=job_id, limit=limit, place=policy, **more)

    async def announced(self) -> list[Announcement]:
        """All that workers have announced."""
        return [decode(entry) for entry in await self.redis.xrange(stream_key(QUEUE))]

    async def told(self, kind: str, request: int) -> bool:
        """Whether this was announced of a job."""
        return any((said.kind, said.job_id) == (kind, f"{RUN}-{request}-1") for said in await self.announced())

    async def held(self) -> tuple[set[str], set[str]]:
        """Ids of the jobs in ``intermediate`` and in ``wip``."""
        popped = await self.redis.lrange(f"rq:queue:{QUEUE}:intermediate", 0, -1)
        running = await self.redis.zrange(f"rq:wip:{QUEUE}", 0, -1)
        return {job.decode() for job in popped}, {entry.decode().split(":")[0] for entry in running}

    async def registry(self, name: str) -> list[str]:
        """Ids in one of RQ's registries."""
        return [job.decode() for job in await self.redis.zrange(f"rq:{name}:{QUEUE}", 0, -1)]

    def job(self, request: int) -> Job:
        """A job as stock RQ reads it."""
        return Job.fetch(f"{RUN}-{request}-1", connection=self.rq, serializer=JSONSerializer)

    async def hash_of(self, job_id: str) -> Mapping[bytes, bytes]:
        """A job's hash, raw."""
        return dict(await self.redis.hgetall(f"rq:job:{job_id}"))


async def until(condition: Callable[[], Any], within_s: float = 20.0, what: str = "the condition") -> float:
    """Wait for a condition, which may be a coroutine function; returns the seconds it took.

    Raises:
        AssertionError: it did not come true in time.
    """
    began = time.monotonic()
    while True:
        value = condition()
        if await value if asyncio.iscoroutine(value) else value:
            return time.monotonic() - began
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.005)
