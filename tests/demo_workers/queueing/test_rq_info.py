"""What an instructor sees who looks at our queue with RQ's own command."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.demo_workers.queueing.place import QUEUE, Place, until
from tests.demo_workers.services.processes import ROOT, environment

pytestmark = pytest.mark.live


async def test_rq_info_shows_queue_workers_and_what_became_of_jobs(place: Place) -> None:
    """One job finished, one running, one failed, two waiting, and the worker by its name."""
    await place.worker()
    await place.post(1)
    await place.post(2, -1.0)
    await until(lambda: place.told("finished", 2))
    await place.post(3, 30.0)
    await until(lambda: place.told("started", 3))
    await place.post(4)
    await place.post(5)
    rq = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rq.cli", "info", "--raw", QUEUE,
        env=environment() | {"RQ_REDIS_URL": place.url}, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(rq.communicate(), 20)
    assert rq.returncode == 0
    queue, worker, *_ = out.decode().splitlines()
    assert queue == f"queue {QUEUE} 2, 1 executing, 1 finished, 1 failed"
    assert worker.startswith(f"worker {QUEUE}-w0 ")
    assert worker.endswith(f" busy {QUEUE}. jobs: 1 finished, 1 failed")
