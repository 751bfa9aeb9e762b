"""The delay proxy is late by what it was told, and changes nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.connection import connect_async
from demo_workers.services.children.child import Child
from demo_workers.services.faults.delay_proxy import LONGEST_S, MAX_BUFFERED
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

pytestmark = pytest.mark.live


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say everything again, then close."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder with an echo server at ``echo``."""
    server = await asyncio.start_unix_server(echo, tmp_path / "echo")
    yield tmp_path
    server.close()


async def proxy(place: Path, latency_s: float) -> Child:
    """A proxy at ``slow`` in front of the server."""
    config = {"uds": str(place / "slow"), "target": {"uds": str(place / "echo")}, "latency_s": latency_s}
    child = Child("proxy", "demo_workers.services.faults.delay_proxy", config, place / "log")
    await child.start()
    return child


async def round_trip(place: Path, data: bytes) -> tuple[bytes, float]:
    """What comes back through the proxy, and the seconds until its first byte."""
    reader, writer = await asyncio.open_unix_connection(place / "slow")
    start = time.monotonic()

    async def say() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    saying = asyncio.create_task(say())
    first = await reader.read(1)
    took = time.monotonic() - start
    back = first + await reader.read()
    await saying
    writer.close()
    return back, took


async def test_each_way_is_late_by_the_delay_and_the_bytes_are_the_same(place: Path) -> None:
    """A round trip takes twice the delay; megabytes come through in order, also more than may be under way."""
    child = await proxy(place, 0.15)
    for size in (1, 3 * MAX_BUFFERED):
        data = os.urandom(size)
        back, took = await round_trip(place, data)
        assert back == data
        assert took >= 0.3
    await child.stop()


async def test_a_server_on_tcp_is_late_too(tmp_path: Path) -> None:
    """Any broker: the proxy takes a free port and says which; the answer of a real Redis comes late and whole."""
    runtime = make_runtime_directory()
    server = RedisServer(runtime, environ={"PATH": ""})
    await server.start()
    relay = Child(
        "from TCP to the socket",
        "demo_workers.services.faults.delay_proxy",
        {"target": {"uds": server.address["unix_socket_path"]}},
        tmp_path / "relay.log",
    )
    first = await relay.start()
    target = {"host": first["host"], "port": first["port"]}
    slow = Child(
        "slow", "demo_workers.services.faults.delay_proxy", {"target": target, "latency_s": 0.1}, tmp_path / "log"
    )
    place = await slow.start()
    url = f"redis://:{server.address['password']}@{place['host']}:{place['port']}/0"
    async with connect_async({"url": url}) as client:
        await client.ping()  # the connection is made and greeted
        start = time.monotonic()
        assert await client.echo("x" * 100_000) == b"x" * 100_000
        assert time.monotonic() - start >= 0.2
    for part in (slow, relay, server):
        await part.stop()


async def test_what_was_sent_first_arrives_first_however_the_delay_changes(place: Path) -> None:
    """A delay that shrinks lets nothing overtake; one that grows tears nothing apart."""
    child = await proxy(place, 0.2)
    reader, writer = await asyncio.open_unix_connection(place / "slow")
    sent = [f"{n},".encode() for n in range(40)]
    for n, piece in enumerate(sent):
        writer.write(piece)
        await writer.drain()
        await child.call("delay", latency_s=(0.2, 0.0, 0.05)[n % 3])
    writer.write_eof()
    assert await reader.read() == b"".join(sent)
    writer.close()
    await child.stop()


async def test_the_delay_changes_while_it_runs(place: Path) -> None:
    """Without a delay it is far quicker than with one."""
    child = await proxy(place, 0.3)
    _, slow = await round_trip(place, b"x")
    await child.call("delay", latency_s=0)
    _, quick = await round_trip(place, b"x")
    assert quick < slow / 2
    await child.stop()


async def test_a_server_that_is_not_there_looks_like_one(tmp_path: Path) -> None:
    """The connection is closed, nothing hangs."""
    child = await proxy(tmp_path, 0.0)
    reader, writer = await asyncio.open_unix_connection(tmp_path / "slow")
    writer.write(b"x")
    try:
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    except OSError:
        pass  # reset, which says the same
    finally:
        writer.transport.abort()
    await child.stop()


@pytest.mark.parametrize("latency_s", [-1, LONGEST_S + 1])
async def test_a_delay_out_of_bounds_is_refused(place: Path, latency_s: float) -> None:
    """At the start and later; the error names value and bound."""
    with pytest.raises(LabError, match="latency_s"):
        await proxy(place, latency_s)
    (place / "slow").unlink(missing_ok=True)
    child = await proxy(place, 0)
    with pytest.raises(LabError, match="latency_s"):
        await child.call("delay", latency_s=latency_s)
    await child.stop()
