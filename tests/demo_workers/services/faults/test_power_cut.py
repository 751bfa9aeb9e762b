"""What a power cut and a SIGKILL leave of a server's acknowledged writes, for each kind of persistence."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo_workers.errors import LabError, RedisUnavailable, ScenarioError
from demo_workers.queueing.connection import connect_async
from demo_workers.services.faults.power_cut import Method, Survived, cut_power
from demo_workers.services.faults.written_back import PAGE, bytes_on_disk, can_tell
from demo_workers.services.servers.persistence import SETTINGS, Persistence
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

pytestmark = [pytest.mark.faults, pytest.mark.live]

KEY = "posts"
SIZE = 100
"""Bytes of a message."""
IN_A_PAGE = PAGE // SIZE + 1
"""Messages of which the kernel cannot say more than that some of them are not on disk."""
Make = Callable[..., RedisServer]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes servers that keep their files below the test's own directory and are stopped after it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made: list[tuple[RedisServer, Path]] = []

    def server(persistence: Persistence, **options: Any) -> RedisServer:
        runtime = make_runtime_directory()
        made.append((RedisServer(runtime, environ={"PATH": ""}, persistence=persistence, **options), runtime))
        return made[-1][0]

    yield server
    for one, runtime in made:
        await one.stop()
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def disk(tmp_path: Path) -> None:
    """The kernel says what is on disk."""
    if not can_tell(tmp_path):
        pytest.skip("needs Linux 6.5 or newer and a temporary directory on a disk: cachestat(2)")


async def push(server: RedisServer, messages: int) -> None:
    """Write messages, one after the other, each acknowledged before the next."""
    async with connect_async(server.address) as client:
        for _ in range(messages):
            await client.rpush(KEY, secrets.token_bytes(SIZE))


async def settled(server: RedisServer) -> None:
    """Wait until all that was written so far is on disk; where nobody but the kernel would see to that, do it."""
    if server.persistence == "rdb":
        async with connect_async(server.address) as client:
            while (await client.info("persistence"))["rdb_changes_since_last_save"]:
                await asyncio.sleep(0.01)
    for file in server.data.glob("appendonlydir/*"):
        while server.persistence == "aof_everysec" and bytes_on_disk(file) < file.stat().st_size:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(sync, file)


def sync(file: Path) -> None:
    """Have the kernel write a file back, as it would by itself after a while."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


async def found_again(make: Make, server: RedisServer, files: Path) -> int:
    """How many messages a server finds that begins with these files."""
    heir = make(server.persistence, restore=files)
    await heir.start()
    async with connect_async(heir.address) as client:
        return int(await client.llen(KEY))


async def cut(server: RedisServer, into: Path, method: Method | None = None) -> Survived:
    """Cut the power, within a deadline."""
    async with asyncio.timeout(60):
        return await cut_power(server, into, method=method)


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize("persistence", SETTINGS)
async def test_a_power_cut_leaves_what_was_written_through(
    make: Make, tmp_path: Path, persistence: Persistence
) -> None:
    """Of what had reached the disk everything but for the page that was growing; of the rest no more than there was."""
    server = make(persistence)
    await server.start()
    await push(server, safe := 400)
    await settled(server)
    await push(server, more := 300)
    survived = await cut(server, tmp_path / "left")
    found = await found_again(make, server, tmp_path / "left")
    assert survived.persistence == persistence
    assert survived.bytes <= survived.written
    if persistence == "none":
        assert (found, survived.method, survived.bytes) == (0, "nothing", 0)
    elif persistence == "aof_always":
        assert found == safe + more
    else:
        assert safe - IN_A_PAGE <= found <= safe + more
        assert survived.method == "cachestat"


@pytest.mark.usefixtures("disk")
async def test_with_fsync_always_nothing_acknowledged_is_lost_in_mid_load(make: Make, tmp_path: Path) -> None:
    """Sixteen writers are cut off; what is found may be more than what was answered, by one write each at most."""
    server = make("aof_always")
    await server.start()
    answered, writers = 0, 16

    async def write() -> None:
        nonlocal answered
        async with connect_async(server.address, retries=0) as client:
            while True:
                await client.rpush(KEY, secrets.token_bytes(SIZE))
                answered += 1

    writing = [asyncio.create_task(write()) for _ in range(writers)]
    deadline = time.monotonic() + 60
    while answered < 500:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await cut(server, tmp_path / "left")
    await asyncio.gather(*writing, return_exceptions=True)
    assert answered <= await found_again(make, server, tmp_path / "left") <= answered + writers


@pytest.mark.usefixtures("disk")
async def test_without_fsync_the_newest_is_lost(make: Make, tmp_path: Path) -> None:
    """The kernel writes back after half a minute; a cut at once loses what no page of was written."""
    server = make("aof_no")
    await server.start()
    await push(server, safe := 200)
    await settled(server)
    await push(server, more := 10 * IN_A_PAGE)
    survived = await cut(server, tmp_path / "left")
    assert survived.bytes < survived.written
    assert await found_again(make, server, tmp_path / "left") < safe + more


@pytest.mark.parametrize("persistence", SETTINGS)
async def test_a_sigkill_loses_nothing_that_is_in_a_log(make: Make, tmp_path: Path, persistence: Persistence) -> None:
    """The kernel still has it; a snapshot lacks what came after it, and without persistence all is gone."""
    server = make(persistence)
    await server.start()
    await push(server, safe := 200)
    if persistence == "rdb":
        await settled(server)
    await push(server, more := 100)
    pid = server.pid
    assert pid is not None
    server.kill()
    async with asyncio.timeout(30):
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)
    found = await found_again(make, server, server.data)
    if persistence == "none":
        assert found == 0
    elif persistence == "rdb":
        assert safe <= found <= safe + more
    else:
        assert found == safe + more


@pytest.mark.parametrize("persistence", ["aof_no", "aof_everysec", "aof_always"])
async def test_the_model_keeps_what_its_setting_would(make: Make, tmp_path: Path, persistence: Persistence) -> None:
    """Everything with always, the seconds before this one with everysec, otherwise what is half a minute old."""
    server = make(persistence)
    await server.start()
    await push(server, old := 50)
    second = int(time.time())
    while int(time.time()) < second + 2:
        await asyncio.sleep(0.02)
    await push(server, new := 50)
    survived = await cut(server, tmp_path / "left", "timestamps")
    found = await found_again(make, server, tmp_path / "left")
    assert survived.method == "timestamps"
    assert found <= old + new
    if persistence == "aof_no":
        assert found == 0
    else:
        assert found >= (old + new if persistence == "aof_always" else old)


async def test_what_cannot_be_cut_off_says_why(make: Make, tmp_path: Path) -> None:
    """A server that is not ours, one that has ended, a directory that is in use, a setting that does not exist."""
    server = make("aof_no")
    with pytest.raises(LabError, match="must be one that the workbook started"):
        await cut_power(server, tmp_path / "left")
    await server.start()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("x")
    with pytest.raises(ScenarioError, match="new or empty"):
        await cut_power(server, tmp_path / "full")
    await cut_power(server, tmp_path / "left")
    async with asyncio.timeout(30):
        while server.pid is not None:
            await asyncio.sleep(0.01)
    with pytest.raises(RedisUnavailable, match="has ended"):
        await cut_power(server, tmp_path / "again")
    with pytest.raises(ScenarioError, match="persistence"):
        await make("fsync").start()


async def test_what_a_server_kept_goes_with_it(make: Make) -> None:
    """Files and sockets: nothing is left after stop()."""
    server = make("aof_always")
    await server.start()
    await push(server, 10)
    assert any(server.data.rglob("*.aof"))
    await server.stop()
    assert not server.data.exists()
