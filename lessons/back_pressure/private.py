"""A Redis server of one experiment's own, for what must not be done to anybody else's."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo_workers.services.redis_server import URL, RedisServer, make_runtime_directory


@asynccontextmanager
async def private_server() -> AsyncIterator[RedisServer]:
    """A server that nobody else uses, also where ``WORKBOOK_REDIS_URL`` is set; it ends with the block."""
    runtime = make_runtime_directory()
    server = RedisServer(runtime, environ={name: value for name, value in os.environ.items() if name != URL})
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)
