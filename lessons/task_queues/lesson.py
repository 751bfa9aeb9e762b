"""The running system of chapter 02, and crews of workers with a queue of their own for one section's experiment."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from demo_workers.errors import LabError
from demo_workers.queueing.connection import connect
from demo_workers.services.redis_server import URL
from demo_workers.stack import Stack
from demo_workers.stack.workforce import WorkerKind, Workforce

WORKERS = 3
"""Behind the gateway."""

WAIT_S = 20.0
"""After this something must be wrong."""


class Crew(NamedTuple):
    """Workers of one experiment.

    Attributes:
        queue: RQ's own object for their queue.
        workforce: the workers; none at first. Nobody settles what a dead one held: RQ has to notice by itself.
        connection: a blocking Redis client.
        address: of the Redis server, for processes that an experiment starts.
        logs: directory for the logs of what an experiment starts beside them.
    """

    queue: Queue
    workforce: Workforce
    connection: redis.Redis
    address: Mapping[str, str]
    logs: Path


class Lesson:
    """Redis, gateway and workers; made by ``open_lesson``.

    Args:
        stack: all of it.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the gateway, with workers behind it."""
        await self.stack.start(WORKERS)
        transport = httpx.AsyncHTTPTransport(uds=self.stack.url.removeprefix("unix:"))
        async with httpx.AsyncClient(transport=transport, base_url="http://workbook", timeout=WAIT_S) as http:
            yield http

    @asynccontextmanager
    async def crew(self, name: str, workers: int = 0, kind: WorkerKind = WorkerKind()) -> AsyncIterator[Crew]:
        """A queue of its own with workers, which have gone when the block ends.

        Args:
            name: of the experiment.
            workers: how many there are at once.
            kind: of which kind; ``Workforce.employ`` has others.

        Raises:
            LabError: no successor could be hired for a dead worker.
        """
        await self.stack.start(WORKERS)
        failures: list[LabError] = []
        address, queue = self.stack.redis.address, f"{name}-{secrets.token_hex(3)}"

        async def leave_it(worker: str) -> None:
            """What the dead worker held stays in its hands."""

        workforce = Workforce(address, queue, self.stack.runtime, leave_it, failures.append, lambda _: None)
        try:
            with self.redis() as connection:
                await workforce.employ(workers, kind)
                rq = Queue(queue, connection=connection, serializer=JSONSerializer)
                yield Crew(rq, workforce, connection, address, self.stack.runtime)
        finally:
            await dismiss(workforce)
        if failures:
            raise failures[0]

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        """A blocking client of the chapter's Redis."""
        connection = connect(self.stack.redis.address)
        try:
            yield connection
        finally:
            connection.close()

    async def close(self) -> None:
        """End everything that was started; nothing is left running. The next experiment brings it back."""
        await self.stack.stop()
        print("Everything is stopped.")


def make_lesson(name: str = "02_task_queues") -> Lesson:
    """Not started yet. The Redis is always one of the workbook's own: this chapter kills what hangs on it.

    Args:
        name: of its stack.
    """
    return Lesson(Stack(name, environ={key: value for key, value in os.environ.items() if key != URL}))


async def open_lesson() -> Lesson:
    """Start Redis, gateway and three workers. Running it again replaces what the first call started."""
    lesson = make_lesson()
    await lesson.stack.start(WORKERS)
    for note in lesson.stack.notes():
        print(f"Note: {note}")
    print(f"{lesson.stack.redis.name}, {WORKERS} workers behind the gateway.")
    return lesson


async def dismiss(workforce: Workforce) -> None:
    """End workers at once: an experiment is over, and nobody wants what they are at."""
    for name in workforce.everyone:
        workforce.kill(name)
    await workforce.stop()


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition, looking every few milliseconds; for use in a thread.

    Args:
        holds: the condition.
        what: its name, for the error.

    Raises:
        LabError: it did not come true in time.
    """
    deadline = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: must be so within {WAIT_S:g} s. Close other programs and run the cell again.")
        time.sleep(0.005)
