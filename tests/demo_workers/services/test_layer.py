"""A layer of a chain asks onwards as often as it was told, counts, and ends with its owner."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo_workers.errors import LabError
from demo_workers.services.children.child import Child
from demo_workers.services.layer import DOWN, MOST_TRIES, OK, ask
from demo_workers.services.servers.redis_server import make_runtime_directory
from tests.demo_workers.services.processes import lives, owner, until
from tests.processes import children

pytestmark = pytest.mark.live


def child(place: Path, name: str, asks: str = "") -> Child:
    """A layer that listens at ``name``."""
    config = {"uds": str(place / name), "asks": str(place / asks) if asks else ""}
    return Child(name, "demo_workers.services.layer", config, place / f"{name}.log")


@pytest.fixture
async def place() -> AsyncIterator[Path]:
    """A folder with a short path; nothing may be left of what lived in it."""
    place = make_runtime_directory()
    yield place
    assert children() == []


async def test_a_layer_asks_as_often_as_it_was_told(place: Path) -> None:
    """``begin`` sets the tries and counts from nothing; one that has nobody to ask is down, and says so once."""
    first, last = child(place, "first", asks="last"), child(place, "last")
    await asyncio.gather(first.start(), last.start())
    try:
        for tries in (1, 3, MOST_TRIES):
            await asyncio.gather(first.call("begin", tries=tries), last.call("begin", tries=1))
            assert await asyncio.to_thread(ask, str(place / "first")) == DOWN
            counted = [(await one.call("count"))["asked"] for one in (first, last)]
            assert counted == [1, tries]
        for tries in (0, MOST_TRIES + 1, "many"):
            with pytest.raises(LabError, match="begin failed"):
                await first.call("begin", tries=tries)
    finally:
        await asyncio.gather(first.stop(), last.stop())


async def test_no_more_tries_once_one_has_succeeded(place: Path) -> None:
    """A server that answers 200 is asked once."""
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, place / "well")
    first = child(place, "first", asks="well")
    await first.start()
    try:
        await first.call("begin", tries=4)
        assert await asyncio.to_thread(ask, str(place / "first")) == OK
        assert len(asked) == 1
    finally:
        await first.stop()
        server.close()


async def test_one_whom_nobody_answers_is_down(place: Path) -> None:
    """A socket that is not there counts as 503, as often as it is tried."""
    first = child(place, "first", asks="nobody")
    await first.start()
    try:
        await first.call("begin", tries=2)
        assert await asyncio.to_thread(ask, str(place / "first")) == DOWN
        assert stat.S_IMODE(os.stat(place / "first").st_mode) == 0o600
    finally:
        await first.stop()


async def test_a_path_that_is_taken_is_told(place: Path) -> None:
    """At the start, with the reason."""
    (place / "first").touch()
    with pytest.raises(LabError, match="in use"):
        await child(place, "first").start()


def test_nothing_is_left_of_it_when_its_owner_is_killed() -> None:
    """It hears that its pipe has ended."""
    with owner("main", "layer") as (process, told):
        (layer,) = told["children"]
        assert lives(layer)
        process.kill()
        assert until(lambda: not lives(layer), 5.0)
