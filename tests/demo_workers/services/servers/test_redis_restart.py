"""A server of ours that was killed comes back at the same address, with what it has kept."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.connection import connect
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

pytestmark = pytest.mark.live
Make = Callable[..., RedisServer]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes servers that are stopped after the test."""
    made: list[tuple[RedisServer, Path]] = []

    def server(**options: Any) -> RedisServer:
        runtime = make_runtime_directory()
        made.append((RedisServer(runtime, environ={"PATH": ""}, **options), runtime))
        return made[-1][0]

    yield server
    for one, runtime in made:
        await one.stop()
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.mark.faults
async def test_a_killed_server_is_started_again_on_what_it_kept(make: Make) -> None:
    """At the same address, so that whoever tries again finds it; its death is told each time."""
    exits: list[str] = []
    server = make(persistence="aof_always", on_exit=lambda: exits.append("exit"))
    await server.start()
    address, first = dict(server.address), server.pid
    with connect(address) as patient:
        for number in (1, 2):
            patient.set(f"post {number}", "chirp")
            server.kill()
            await server.restart()
            assert server.address == address
            assert patient.get(f"post {number}") == b"chirp"
            assert exits == ["exit"] * number
        assert patient.exists("post 1", "post 2") == 2
    assert server.pid not in (first, None)
    server.kill()
    async with asyncio.timeout(2.0):
        while len(exits) < 3:
            await asyncio.sleep(0.01)
    await server.stop()
    assert not server.data.exists()


async def test_only_an_ended_server_of_ours_is_started_again(make: Make) -> None:
    """One that runs, one that was never started and one that was stopped have no second start."""
    server = make()
    with pytest.raises(LabError, match="no server started yet"):
        await server.restart()
    await server.start()
    with pytest.raises(LabError, match="Kill it first"):
        await server.restart(timeout_s=0.1)
    with connect(server.address) as client:
        assert client.ping()
    await server.stop()
    with pytest.raises(LabError, match="Make a new RedisServer"):
        await server.restart()
