"""What each chapter's running system is made of: a stack, a client of its gateway, a client of its Redis."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self

import httpx
import redis

from demo_workers.queueing.connection import connect
from demo_workers.services.servers.redis_server import URL
from demo_workers.stack import Stack

WAIT_S = 20.0
"""After this something must be wrong."""


class Chapter:
    """Redis, gateway and workers of a chapter, which says in a subclass what it does with them.

    Args:
        stack: all of it.
        workers: how many there are behind the gateway.
    """

    def __init__(self, stack: Stack, workers: int) -> None:
        self.stack, self.workers = stack, workers

    async def start(self) -> None:
        """Start what does not run, and print what the reader should know of it. May be called again at any time."""
        await self.stack.start(self.workers)
        for note in self.stack.notes():
            print(f"Note: {note}")

    async def open(self) -> Self:
        """The chapter's first cell: start it and print what runs."""
        await self.start()
        print(f"{self.stack.redis.name}, {self.workers} worker{'s' * (self.workers != 1)} behind the gateway.")
        return self

    async def address(self) -> dict[str, str]:
        """Of the chapter's Redis, which runs then."""
        await self.stack.start(self.workers)
        return dict(self.stack.redis.address)

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the gateway, with workers behind it."""
        await self.stack.start(self.workers)
        transport = httpx.AsyncHTTPTransport(uds=self.stack.url.removeprefix("unix:"))
        async with httpx.AsyncClient(transport=transport, base_url="http://workbook", timeout=WAIT_S) as http:
            yield http

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        """A blocking client of the chapter's Redis, which must run."""
        connection = connect(self.stack.redis.address)
        try:
            yield connection
        finally:
            connection.close()

    async def close(self) -> None:
        """End everything that was started; nothing is left running. The next experiment brings it back."""
        await self.stack.stop()
        print("Everything is stopped.")


def stack_with_own_redis(name: str) -> Stack:
    """A stack whose Redis is always one of the workbook's own, for a chapter that looks into it and breaks it.

    Args:
        name: of the chapter.
    """
    return Stack(name, environ={key: value for key, value in os.environ.items() if key != URL})
