"""A server for each test, and what it takes to use it as somebody else's."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from demo_workers.services.servers.redis_server import URL, RedisServer, make_runtime_directory


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    """A Redis server."""
    environ = {name: value for name, value in os.environ.items() if name != URL}
    server = RedisServer(make_runtime_directory(), environ=environ)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def environ(server: RedisServer) -> dict[str, str]:
    """An environment in which that server is somebody else's."""
    path = server.address["unix_socket_path"]
    return dict(os.environ) | {URL: f"unix://:{server.address['password']}@{path}?db=0"}
