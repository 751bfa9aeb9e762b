"""A real Redis, a real gateway and real workers, as a test wants them."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from demo_workers.queueing.connection import connect_async
from demo_workers.records.events import Events, Kind, read_events
from demo_workers.services.children.child import Child
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from tests.demo_workers.services.gateway.talk import Reply, post


class System:
    """Start it, use it, stop it.

    Attributes:
        url: where the gateway listens.
        told: news from the gateway.
    """

    def __init__(self) -> None:
        self.runtime = make_runtime_directory()
        self.redis = RedisServer(self.runtime, environ=_without_server())
        self.queue = f"wb-{secrets.token_hex(4)}"
        self.events = self.runtime / "gateway.events"
        self.told: list[dict[str, Any]] = []
        self.workers: list[Child] = []
        self.gateway: Child
        self.url = ""
        self.origin = 0.0
        self.run = ""

    async def start(self, workers: int = 0, worker_class: str = "simple", **config: Any) -> None:
        """Start the parts; ``config`` adds to the gateway's."""
        await self.redis.start()
        self.connection = connect_async(self.redis.address)
        common = {"address": self.redis.address, "queue": self.queue}
        self.socket = self.runtime / "gateway.sock"
        where = {} if "tcp" in config else {"uds": str(self.socket)}
        self.gateway = Child(
            "gateway",
            "demo_workers.services.gateway",
            common | where | config,
            self.runtime / "gateway.log",
            on_event=self.told.append,
        )
        self.workers = [self._worker(number, worker_class) for number in range(workers)]
        ready, *_ = await asyncio.gather(self.gateway.start(), *(worker.start() for worker in self.workers))
        self.url = ready["url"]

    async def add_worker(self) -> None:
        """One more."""
        self.workers.append(self._worker(len(self.workers)))
        await self.workers[-1].start()

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(self.gateway.stop(), *(worker.stop() for worker in self.workers))
        await self.connection.aclose()
        await self.redis.stop()
        shutil.rmtree(self.runtime, ignore_errors=True)

    async def begin(self, **admission: Any) -> None:
        """Begin the record of a new run that starts now, with these rules of the door."""
        self.origin, self.run = time.monotonic(), secrets.token_hex(4)
        self.events.unlink(missing_ok=True)
        await self.gateway.call("begin", run=self.run, origin=self.origin, events=str(self.events), admission=admission)

    async def steer(self, **admission: Any) -> float:
        """Other rules of the door, the rest as it comes; returns when, in seconds since the run's origin."""
        return float((await self.gateway.call("steer", admission=admission))["t"])

    async def post(self, service_time_s: float = 0.0, **headers: str) -> Reply:
        """Post a job over a connection of its own."""
        return await post(self.url, service_time_s, **headers)

    async def drained(self) -> None:
        """Wait until the record says that nothing is outstanding."""

        async def outstanding() -> bool:
            left = await self.gateway.call("outstanding")
            return bool(left["waiting"] + left["running"] == 0)

        end = time.monotonic() + 30
        while not await outstanding():
            assert time.monotonic() < end, "jobs are still outstanding"
            await asyncio.sleep(0.01)

    async def drained_of(self, job_id: str) -> None:
        """Wait until RQ says that a job is done, which is a moment after the worker has announced it."""
        end = time.monotonic() + 30
        while (await self.connection.hget(f"rq:job:{job_id}", "status")) in (b"queued", b"started"):
            assert time.monotonic() < end, f"{job_id} is not done"
            await asyncio.sleep(0.005)

    def rows(self, kind: Kind) -> Events:
        """The record's rows of one kind."""
        events, _ = read_events(self.events)
        found: Events = events[events["kind"] == kind]
        return found

    def codes(self, kind: Kind) -> list[int]:
        """The codes of the rows of one kind, sorted."""
        return sorted(np.asarray(self.rows(kind)["code"]).tolist())

    def _worker(self, number: int, worker_class: str = "simple") -> Child:
        config = {"address": self.redis.address, "queue": self.queue, "number": number}
        config |= {"class": worker_class, "timings": "classroom"}
        return Child("worker", "demo_workers.queueing.worker", config, self.runtime / f"w{number}.log")

    @property
    def log(self) -> str:
        """What the gateway wrote to standard error."""
        path = self.runtime / "gateway.log"
        return path.read_text() if path.exists() else ""


async def until(condition: Callable[[], object], deadline_s: float = 20.0) -> None:
    """Wait for a condition, or fail at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.005)


def _without_server() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "WORKBOOK_REDIS_URL"}
