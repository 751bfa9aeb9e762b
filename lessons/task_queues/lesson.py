"""The running system of chapter 02, and crews of workers with a queue of their own for one section's experiment."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from demo_workers.errors import LabError
from demo_workers.queueing.connection import connect
from demo_workers.stack.workforce import WorkerKind, Workforce
from lessons.chapter import WAIT_S, Chapter, stack_with_own_redis

WORKERS = 3
"""Behind the gateway."""


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


class Lesson(Chapter):
    """Redis, gateway and workers; made by ``open_lesson``."""

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
        address, queue = await self.address(), f"{name}-{secrets.token_hex(3)}"
        async with crew_of(address, self.stack.runtime, queue) as crew:
            await crew.workforce.employ(workers, kind)
            yield crew


@asynccontextmanager
async def crew_of(address: Mapping[str, str], logs: Path, queue: str, *, first: int = 0) -> AsyncIterator[Crew]:
    """Workers of a queue on any server, none at first; they have gone when the block ends.

    Args:
        address: the Redis server.
        logs: directory for their logs.
        queue: name of the RQ queue.
        first: number of the first worker, where another crew works on the same queue.

    Raises:
        LabError: no successor could be hired for a dead worker.
    """
    failures: list[LabError] = []

    async def leave_it(worker: str) -> None:
        """What the dead worker held stays in its hands."""

    workforce = Workforce(address, queue, logs, leave_it, failures.append, lambda _: None, first=first)
    connection = connect(address)
    try:
        yield Crew(Queue(queue, connection=connection, serializer=JSONSerializer), workforce, connection, address, logs)
    finally:
        await dismiss(workforce)
        connection.close()
    if failures:
        raise failures[0]


def make_lesson(name: str = "02_task_queues") -> Lesson:
    """Not started yet.

    Args:
        name: of its stack.
    """
    return Lesson(stack_with_own_redis(name), WORKERS)


async def open_lesson() -> Lesson:
    """Start Redis, gateway and three workers. Running it again replaces what the first call started."""
    return await make_lesson().open()


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
