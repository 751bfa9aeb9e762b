"""A plain ``rq worker`` joins a stack, and the record takes its times from RQ's own fields."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from demo_workers.records.events import Result
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.live import play
from tests.patience import patience

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """A stack; the scenario says how many workers of its own it has."""
    made = Stack("stock")
    yield made
    await made.stop()


def environment(stack: Stack) -> dict[str, str]:
    """What tells RQ's commands where the server is: never in argv, for it holds the password."""
    address = stack.redis.address
    return {**os.environ, "RQ_REDIS_URL": f"unix://:{address['password']}@{address['unix_socket_path']}"}


@contextmanager
def stock_worker(stack: Stack, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``rq worker`` as anybody would start it."""
    rq = str(Path(sys.executable).with_name("rq"))
    command = [rq, "worker", "--serializer", "rq.serializers.JSONSerializer", "--quiet", stack.queue]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(stack), stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


async def registered(stack: Stack, workers: int) -> None:
    """Wait until so many workers are known to RQ."""
    deadline = time.monotonic() + 30
    while await stack.connection.scard(f"rq:workers:{stack.queue}") < workers:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def light(workers: int) -> Scenario:
    """What one forking worker can do easily, with time-outs that leave it room."""
    return Scenario(
        load=Load(arrival_rate=6, duration_s=3),
        service=Service(service_time_s=0.02, workers=workers),
        admission=Admission(limit=40),
        retry=Retry(timeout_s=20),
        drain_s=15,
    )


@pytest.mark.parametrize("own", [0, 1])
async def test_a_stock_worker_does_its_share_and_is_on_the_record(stack: Stack, tmp_path: Path, own: int) -> None:
    """Every job has its execution with RQ's times, waiting clients hear of the end, and the books balance."""
    await stack.start(own)
    with stock_worker(stack, tmp_path / "log"):
        await registered(stack, own + 1)
        run = await play(stack, light(own))
    log = (tmp_path / "log").read_text()
    assert run.ledger.balanced, f"{run.ledger.table()}\n{log}"
    counts = run.ledger.counts
    assert counts["completed"] == counts["admitted"] > 5, run.ledger.table()
    assert counts["requests_succeeded"] == counts["requests"]
    strangers = run.executions[run.executions["worker"] >= 1 << 20]
    assert len(run.executions) == counts["completed"]
    if own == 0:
        assert len(strangers) == counts["completed"]
        assert run.manifest["clock"] == "estimated"
        assert (strangers["result"] == Result.OK).all()
        took = strangers["finished_s"] - strangers["started_s"]
        assert np.min(took) > 0
        assert 0.005 < np.mean(took) < patience(0.5)  # a mean of 0.02 s of work, in a process forked for it


async def test_a_run_does_not_wait_for_a_strangers_long_job(stack: Stack, tmp_path: Path) -> None:
    """When patience is over the stock worker is told to stop it, as RQ has it: it is lost, the books balance."""
    await stack.start(0)
    scenario = light(0).replace("service.service_time_s", 50).replace("load.duration_s", 1).replace("drain_s", 0.5)
    with stock_worker(stack, tmp_path / "log"):
        await registered(stack, 1)
        run = await asyncio.wait_for(play(stack, scenario), 30)
        assert run.ledger.balanced, run.ledger.table()
        assert run.ledger.counts["pending"] == 0
        assert run.ledger.counts["lost"] == 1
        again = await play(stack, light(0))
    assert again.ledger.balanced, again.ledger.table()
    assert again.ledger.counts["completed"] > 5


async def test_rq_info_shows_queue_and_workers_of_a_stack(stack: Stack) -> None:
    """The operators' own tool works as it is."""
    await stack.start(1)
    rq = str(Path(sys.executable).with_name("rq"))
    info = await asyncio.to_thread(
        subprocess.run,
        [rq, "info", "--raw"],
        env=environment(stack),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert stack.queue in info.stdout
    assert f"{stack.queue}-w0" in info.stdout
