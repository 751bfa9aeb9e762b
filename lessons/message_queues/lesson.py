"""The running system of chapter 01: gateway and worker for the workflow, and their Redis for brokers and consumers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import redis

from demo_workers.brokers.losses import Loss
from demo_workers.queueing.connection import connect
from demo_workers.services.redis_server import URL
from demo_workers.stack import Stack

WORKERS = 1
"""Behind the gateway."""

WAIT_S = 20.0
"""After this something must be wrong."""


class Lesson:
    """Redis, gateway and one worker; made by ``open_lesson``.

    Args:
        stack: all of it.

    Attributes:
        measured: the books of what was killed here so far: kind of broker → loss.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.measured: dict[str, Loss] = {}

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the gateway, with the worker behind it."""
        await self.stack.start(WORKERS)
        transport = httpx.AsyncHTTPTransport(uds=self.stack.url.removeprefix("unix:"))
        async with httpx.AsyncClient(transport=transport, base_url="http://workbook", timeout=WAIT_S) as http:
            yield http

    async def address(self) -> dict[str, str]:
        """Of the chapter's Redis, which runs then."""
        await self.stack.start(WORKERS)
        return dict(self.stack.redis.address)

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


async def open_lesson() -> Lesson:
    """Start Redis, gateway and one worker. Running it again replaces what the first call started.

    The Redis is always one of the workbook's own: this chapter looks into it, and kills those who use it.
    """
    environ = {name: value for name, value in os.environ.items() if name != URL}
    lesson = Lesson(Stack("01_message_queues", environ=environ))
    await lesson.stack.start(WORKERS)
    for note in lesson.stack.notes():
        print(f"Note: {note}")
    print(f"{lesson.stack.redis.name}, {WORKERS} worker behind the gateway.")
    return lesson
