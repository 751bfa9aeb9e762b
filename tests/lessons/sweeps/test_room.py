"""A room for sweeps opens, is left as it was found, and dies with whoever made it."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import psutil
import pytest

from demo_workers.errors import ScenarioError, WorkersNotReady
from demo_workers.services.servers.redis_server import RedisServer
from lessons.sweeps.room import QUEUE, Room
from tests.lessons.sweeps.scenarios import keys
from tests.processes import alive, children, marked, marked_environment, runtime_directories, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them lives."""
    return not any(map(alive, processes))


async def test_it_opens_and_closes_again_and_again() -> None:
    """Twice started is once started; stopped, nothing is left; and it can be started anew."""
    room = Room(2)
    await room.stop()
    for _ in range(2):
        await room.start()
        pids = room.workforce.pids
        await room.start()
        assert room.workforce.pids == pids
        assert len(pids) == 2
        family = children()
        await room.stop()
        await room.stop()
        wait_until(partial(all_gone, family), 5.0, "processes gone")


async def test_a_server_of_others_is_left_as_it_was(server: RedisServer, environ: dict[str, str]) -> None:
    """No key of ours stays, and no other is touched; two rooms share the queue and not the names."""
    before = await keys(server.address)
    async with Room(2, environ=environ) as one, Room(1, environ=environ) as two:
        assert one.queue == two.queue == QUEUE
        assert not set(one.workforce.names) & set(two.workforce.names)
        assert await keys(server.address) > before
    assert await keys(server.address) == before


async def test_without_any_worker_it_does_not_open(server: RedisServer, environ: dict[str, str]) -> None:
    """And says how to get one; with one on another host it does."""
    with pytest.raises(WorkersNotReady, match=f"--queue {QUEUE}"):
        await Room(0, environ=environ).start()
    async with Room(1, environ=environ), Room(0, environ=environ) as guest:
        assert guest.workforce.names == []


@pytest.mark.parametrize("workers", [-1, 65, 1.5])
def test_the_number_of_workers_is_bounded(workers: int) -> None:
    """By what a machine can hold."""
    with pytest.raises(ScenarioError, match="workers"):
        Room(workers)


async def test_a_room_whose_server_has_died_says_so() -> None:
    """And can be started anew."""
    room = Room(1)
    await room.start()
    room.server.kill()
    async with asyncio.timeout(60):
        while room.broken is None:
            await asyncio.sleep(0.01)
    with pytest.raises(type(room.broken), match="has died"):
        room.check()
    await room.start()
    room.check()
    await room.stop()


@pytest.mark.faults
def test_nothing_is_left_when_the_kernel_dies_in_mid_sweep() -> None:
    """No worker, no server, no directory."""
    with tempfile.TemporaryDirectory(prefix="wt-") as temporary:
        mark = secrets.token_hex(8)
        environment = marked_environment(mark, Path(temporary)) | {
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")
        }
        command = [sys.executable, "-m", "tests.lessons.sweeps.owner"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"sweeping\n"
            assert len(marked(mark)) >= 4  # itself, the leash, two workers
            process.kill()
        wait_until(lambda: not marked(mark), 5.0, f"processes gone, left: {marked(mark)}")
        wait_until(lambda: not runtime_directories(Path(temporary)), 2.0, "runtime directory gone")
