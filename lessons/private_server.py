"""A Redis server of one experiment's own, for what must not be done to anybody else's."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from demo_workers.services.servers.persistence import Persistence
from demo_workers.services.servers.redis_server import URL, RedisServer, make_runtime_directory


@asynccontextmanager
async def private_server(
    persistence: Persistence = "none", *, restore: Path | None = None, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[RedisServer]:
    """A server that nobody else uses, also where ``WORKBOOK_REDIS_URL`` is set; it ends with the block.

    Args:
        persistence: what it keeps on disk, until the block ends.
        restore: a directory whose files it begins with.
        environ: where its program is looked up.
    """
    runtime = make_runtime_directory()
    here = {name: value for name, value in environ.items() if name != URL}
    server = RedisServer(runtime, environ=here, persistence=persistence, restore=restore)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)
