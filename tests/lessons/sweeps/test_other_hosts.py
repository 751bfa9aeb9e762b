"""Workers that somebody has started elsewhere do the jobs of a sweep."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from demo_workers.services.servers.redis_server import RedisServer
from lessons.sweeps.plan import Swept
from lessons.sweeps.room import QUEUE, Room
from lessons.sweeps.sweep import sweep
from lessons.twin import replicate
from tests.lessons.sweeps.scenarios import keys, some

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


@pytest.fixture
def worker(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """``workbook worker`` at the sweeps' queue, as on another host."""
    command = [sys.executable, "-m", "lessons.cli", "worker", "--queue", QUEUE]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert " is listening" in process.stdout.readline()
            yield process
        finally:
            process.kill()


async def test_they_give_the_same(server: RedisServer, environ: dict[str, str], worker: subprocess.Popen[str]) -> None:
    """Here there is no worker at all; afterwards theirs is still there, and nothing else."""
    scenarios = some(5)
    before = await keys(server.address)
    async with Room(0, environ=environ) as room:
        found = await sweep(scenarios, 3, room=room)
    assert found == [Swept(scenario=scenario, replications=replicate(scenario, 3)) for scenario in scenarios]
    assert await keys(server.address) - {"rq:queues"} == before  # their worker's queue is still known
    assert worker.poll() is None
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=60) == 0
