"""Jobs of whose end nobody has told: the record learns of them from RQ, each once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from demo_workers.queueing.announce import stream_key
from demo_workers.queueing.connection import connect
from demo_workers.records.events import Kind, Result
from tests.demo_workers.services.gateway.system import System
from tests.patience import patience
from tests.processes import alive

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]


@contextmanager
def stock_worker(system: System, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``rq worker`` as anybody would start it; the password is in its environment and not in argv."""
    address = system.redis.address
    url = f"unix://:{address['password']}@{address['unix_socket_path']}"
    rq = str(Path(sys.executable).with_name("rq"))
    command = [rq, "worker", "--serializer", "json", "--quiet", *options, system.queue]
    with (system.runtime / "stock.log").open("ab") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "RQ_REDIS_URL": url}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(20)


async def until(condition: Callable[[], Any], deadline_s: float = 40.0) -> None:
    """Wait for a condition, which may be a coroutine function, or fail at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if await value if asyncio.iscoroutine(value) else value:
            return
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.02)


def job_id(system: System, request: int) -> str:
    """The id of the first attempt of a request of the run."""
    return f"{system.run}-{request}-1"


async def posted(system: System, service_time_s: float, request: int = 0, **headers: str) -> Any:
    """Post a job as a client of the run that numbers its requests."""
    named = {"Workbook-Client": "1", "Workbook-Attempt": f"{request}.1"} | headers
    return await system.post(service_time_s, **named)


async def given_up(system: System) -> None:
    """Let RQ give up what dead workers held, as its maintenance would after a while."""
    with connect(system.redis.address) as connection:
        queue = Queue(system.queue, connection=connection, serializer=JSONSerializer)
        await asyncio.to_thread(queue.started_job_registry.cleanup, timestamp=time.time() + 1000)


async def test_a_strangers_failure_is_a_failure_with_its_times(fresh: System) -> None:
    """RQ ends a job that takes too long: its client hears that it failed and why, the record has both times."""
    await fresh.start()
    await fresh.begin()
    waiting = asyncio.create_task(posted(fresh, 30.0, Prefer="wait=30"))
    await until(lambda: fresh.connection.exists(f"rq:job:{job_id(fresh, 0)}"))
    await fresh.connection.hset(f"rq:job:{job_id(fresh, 0)}", "timeout", 1)
    with stock_worker(fresh):
        reply = await waiting
    body = reply.body
    assert (reply.status, body["status"]) == (200, "failed")
    assert "JobTimeoutException" in body["error"]
    await fresh.drained()
    (started,), (ended,) = fresh.rows(Kind.STARTED), fresh.rows(Kind.ENDED)
    assert (ended["code"], ended["actor"]) == (Result.FAILED, started["actor"])
    assert 0.9 < ended["t"] - started["t"] < patience(5)
    assert np.isnan(started["value"])
    assert (await fresh.gateway.call("end"))["clock"] == "estimated"


async def test_a_stranger_that_came_and_went_is_on_the_record(fresh: System) -> None:
    """With --burst it leaves when the queue is empty, perhaps before anybody has looked."""
    await fresh.start()
    await fresh.begin()
    for request in range(5):
        await posted(fresh, 0.0, request)
    with stock_worker(fresh, "--burst", "-w", "rq.SimpleWorker") as process:
        await asyncio.to_thread(process.wait, 30)
    await fresh.drained()
    assert fresh.codes(Kind.ENDED) == [Result.OK] * 5
    assert len(fresh.rows(Kind.STARTED)) == 5


async def test_a_dead_strangers_job_is_lost_once_rq_gives_it_up(fresh: System) -> None:
    """Worker and horse killed: running until RQ says that it was abandoned, then lost; nothing stays outstanding."""
    await fresh.start()
    await fresh.begin()
    await posted(fresh, 30.0)
    with stock_worker(fresh) as process:
        await until(lambda: len(fresh.rows(Kind.STARTED)) == 1)
        family = psutil.Process(process.pid).children(recursive=True)
        for member in [psutil.Process(process.pid), *family]:
            member.kill()
    await given_up(fresh)
    await fresh.drained()
    (ended,) = fresh.rows(Kind.ENDED)
    assert ended["code"] == Result.LOST
    assert np.isnan(ended["t"])
    assert (await fresh.gateway.call("end"))["lost"] == 1


async def test_one_of_ours_that_died_where_nobody_settles(fresh: System) -> None:
    """A worker on another host has no stack: once RQ gives its job up, the record counts it as lost by that worker."""
    await fresh.start(workers=1)
    await fresh.begin()
    await posted(fresh, 30.0)
    await until(lambda: len(fresh.rows(Kind.STARTED)) == 1)
    fresh.workers[0].kill()
    await until(lambda: not fresh.workers[0].alive)
    await given_up(fresh)
    await fresh.drained()
    (ended,) = fresh.rows(Kind.ENDED)
    assert (ended["code"], ended["actor"]) == (Result.LOST, 0)


async def test_a_dead_horse_of_ours_is_told_by_its_worker_alone(fresh: System) -> None:
    """RQ forgets the worker's name then; that makes nobody's job a stranger's, also while one is there."""
    await fresh.start(workers=1, worker_class="fork")
    await fresh.begin()
    with stock_worker(fresh):
        await until(lambda: _workers(fresh, 2))
        for request in range(4):
            await posted(fresh, 1.0, request)
        worker = psutil.Process(fresh.workers[0].pid)
        await until(lambda: len(fresh.rows(Kind.STARTED)) >= 2)
        for horse in worker.children():
            horse.kill()
        await fresh.drained()
        await until(lambda: _count(fresh, "failed", 1))
        await until(lambda: _count(fresh, "finished", 3))
        end = time.monotonic() + 2.5  # some more looks, which must find nothing new
        await until(lambda: time.monotonic() > end)
    assert fresh.codes(Kind.ENDED) == [Result.OK] * 3 + [Result.FAILED]
    assert len(fresh.rows(Kind.STARTED)) == 4


async def test_announcements_that_were_forgotten_are_made_up_for(fresh: System) -> None:
    """The gateway stands still while jobs are done and their announcements trimmed away: RQ knows how they ended."""
    await fresh.start(workers=1)
    await fresh.begin()
    for request in range(4):
        await posted(fresh, 0.6 if request == 0 else 0.0, request)
    gateway = psutil.Process(fresh.gateway.pid)
    await until(lambda: len(fresh.rows(Kind.STARTED)) == 1)
    gateway.suspend()
    try:
        await until(lambda: _count(fresh, "finished", 4))
        await fresh.connection.xtrim(stream_key(fresh.queue), maxlen=0, approximate=False)
    finally:
        gateway.send_signal(signal.SIGCONT)
    await fresh.drained()
    assert fresh.codes(Kind.ENDED) == [Result.OK] * 4
    assert {int(row["actor"]) for row in fresh.rows(Kind.ENDED)} == {0}
    assert len(fresh.rows(Kind.STARTED)) == 4
    assert alive(gateway)


async def _count(system: System, registry: str, jobs: int) -> bool:
    return int(await system.connection.zcard(f"rq:{registry}:{system.queue}")) == jobs


async def test_what_was_announced_is_not_told_again(fresh: System) -> None:
    """Strangers and own workers side by side: each job ends once, whoever did it."""
    await fresh.start(workers=1)
    await fresh.begin()
    with stock_worker(fresh):
        await until(lambda: _workers(fresh, 2))
        for request in range(60):
            await posted(fresh, 0.01, request)
        await fresh.drained()
        await until(lambda: _count(fresh, "finished", 60))
        counts = await fresh.gateway.call("end")
    assert counts["finished"] == counts["started"] == 60
    assert fresh.codes(Kind.ENDED) == [Result.OK] * 60
    assert len({int(row["actor"]) for row in fresh.rows(Kind.ENDED)}) == 2


async def _workers(system: System, workers: int) -> bool:
    return int(await system.connection.scard(f"rq:workers:{system.queue}")) == workers
