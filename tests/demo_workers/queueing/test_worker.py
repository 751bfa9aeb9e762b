"""Real worker processes: what they announce, how they end, and that they leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import psutil
import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.classes import CLASSES
from demo_workers.queueing.worker import work
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until
from tests.patience import patience

pytestmark = pytest.mark.live

both = pytest.mark.parametrize("kind", CLASSES)


def signalled(worker: Any, number: signal.Signals) -> None:
    """Send a signal to a worker."""
    os.kill(worker.pid, number)


@both
async def test_a_worker_is_ready_when_it_is_registered(place: Place, kind: str) -> None:
    """It names itself and its process, RQ lists it, and the next job starts at once."""
    worker = await place.worker(number=7, kind=kind)
    assert place.ready == {"event": "ready", "pid": worker.pid, "worker": f"{QUEUE}-w7"}
    assert await place.redis.smembers(f"rq:workers:{QUEUE}") == {f"rq:worker:{QUEUE}-w7".encode()}
    await place.post(1)
    assert await until(lambda: place.told("finished", 1)) < patience(0.5)


async def test_every_job_is_announced_started_and_then_finished(place: Place) -> None:
    """Once each, in that order, with the function's own time between them and the worker's number."""
    await asyncio.gather(place.worker(), place.worker())
    for request in range(30):
        await place.post(request, 0.02)
    await until(lambda: _all_announced(place, 30))
    said = await place.announced()
    for request in range(30):
        started, finished = [word for word in said if word.job_id == f"{RUN}-{request}-1"]
        assert (started.kind, finished.kind, finished.ok, finished.result) == ("started", "finished", True, "null")
        assert started.worker == finished.worker == f"{QUEUE}-w{started.number}"
        assert finished.t_monotonic - started.t_monotonic >= 0.02
    lengths = sorted(
        after.t_monotonic - before.t_monotonic
        for before in said
        for after in said
        if before.job_id == after.job_id and (before.kind, after.kind) == ("started", "finished")
    )
    assert lengths[0] < 0.04
    assert {word.number for word in said} == {0, 1}


async def _all_announced(place: Place, jobs: int) -> bool:
    return sum(said.kind == "finished" for said in await place.announced()) == jobs


@both
async def test_a_job_that_raises_is_announced_and_failed(place: Place, kind: str) -> None:
    """The announcement has the error's type and text, RQ's failed registry has the job, the worker goes on."""
    worker = await place.worker(kind=kind)
    await place.post(1, -1.0)
    await place.post(2)
    await until(lambda: place.told("finished", 2))
    _, failed, *_ = await place.announced()
    assert (failed.kind, failed.ok) == ("finished", False)
    assert failed.result == '"ValueError: sleep length must be non-negative"'
    await until(lambda: place.job(1).is_failed)
    assert await place.registry("failed") == [f"{RUN}-1-1"]
    assert place.job(1).latest_result().exc_string.endswith("sleep length must be non-negative\n")  # type: ignore[union-attr]
    assert 0 < await place.redis.ttl(f"rq:job:{RUN}-1-1") <= 60
    assert worker.alive


@both
async def test_the_end_of_its_input_ends_a_worker_that_computes(place: Place, kind: str) -> None:
    """Its owner has gone: within a second, though its only thread of work never pauses."""
    worker = await place.worker(kind=kind)
    await place.post(1, 30.0, kind="cpu")
    await until(lambda: place.told("started", 1))
    process = psutil.Process(worker.pid)
    began = time.monotonic()
    await worker.stop(grace_s=patience(1.0))  # closes its input, kills it only after that
    assert time.monotonic() - began < patience(1.0)
    assert worker.returncode == 0
    assert not process.is_running()


@both
async def test_told_to_leave_a_worker_finishes_its_job(place: Place, kind: str) -> None:
    """SIGTERM in mid-job: this job is finished, the next one stays in the queue, and RQ no longer lists the worker."""
    worker = await place.worker(kind=kind)
    await place.post(1, 0.5)
    await place.post(2)
    await until(lambda: place.told("started", 1))
    signalled(worker, signal.SIGTERM)
    signalled(worker, signal.SIGTERM)  # as when a whole group of processes is told twice
    await until(lambda: not worker.alive)
    assert worker.returncode == 0
    assert place.job(1).is_finished
    assert place.stock.job_ids == [f"{RUN}-2-1"]
    assert await place.redis.smembers("rq:workers") == set()


@both
async def test_told_again_a_worker_leaves_its_job(place: Place, kind: str) -> None:
    """A second signal after a second: the job in hand fails, and nothing is left hanging."""
    worker = await place.worker(kind=kind)
    await place.post(1, 30.0)
    await until(lambda: place.told("started", 1))
    signalled(worker, signal.SIGINT)
    end = time.monotonic() + 2.0  # more than a second after it has heard the first
    await until(lambda: time.monotonic() > end)
    assert worker.alive
    signalled(worker, signal.SIGINT)
    await until(lambda: not worker.alive)
    assert await place.registry("failed") == [f"{RUN}-1-1"]
    assert await place.held() == (set(), set())


@pytest.mark.parametrize("timings", ["classroom", "default"])
async def test_an_idle_worker_leaves_when_told(place: Place, timings: str) -> None:
    """After the second that it waits at the empty queue at most, with either timings; a suspended one too."""
    worker, suspended = await asyncio.gather(place.worker(timings=timings), place.worker(timings=timings, number=1))
    await until(lambda: _waiting(place, 2))
    signalled(worker, signal.SIGTERM)
    await until(lambda: not worker.alive, patience(3))
    await place.redis.set("rq:suspended", 1)
    await place.post(1)  # RQ looks only after the next job
    await until(lambda: _state(place, 1, b"suspended"))
    signalled(suspended, signal.SIGTERM)
    await until(lambda: not suspended.alive, patience(3))


async def _waiting(place: Place, workers: int) -> bool:
    clients = await place.redis.client_list()
    return [client["cmd"] for client in clients if "b" in client["flags"]] == ["blmove"] * workers


async def _state(place: Place, number: int, state: bytes) -> bool:
    return bool(await place.redis.hget(f"rq:worker:{QUEUE}-w{number}", "state") == state)


async def test_an_idle_worker_sleeps_at_the_queue(place: Place) -> None:
    """It blocks in Redis instead of asking again and again: nearly no processor time, and a job starts at once."""
    worker = await place.worker()
    await until(lambda: _waiting(place, 1))
    process = psutil.Process(worker.pid)
    before, end = process.cpu_times(), time.monotonic() + 2
    await until(lambda: time.monotonic() > end)
    after = process.cpu_times()
    assert (after.user + after.system) - (before.user + before.system) < 0.2
    await place.post(1)
    assert await until(lambda: place.told("started", 1)) < patience(0.2)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_told_to_leave_at_any_moment_no_job_is_left_behind(place: Place) -> None:
    """Sixteen workers told at random moments between jobs of a millisecond: each job ran once or still waits.

    RQ's own handler leaves one job in five such departures in nobody's hands.
    """
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for request in range(1500):
        await place.post(request, 0.001)
    for _ in range(4):
        workers = await asyncio.gather(*(place.worker() for _ in range(4)))
        for worker in workers:
            end = time.monotonic() + chance.uniform(0, 0.1)
            await until(lambda end=end: time.monotonic() > end)  # type: ignore[misc]
            signalled(worker, signal.SIGTERM)
        for worker in workers:
            await until(lambda worker=worker: not worker.alive, what=f"seed {seed}")  # type: ignore[misc]
        assert await place.held() == (set(), set()), f"seed {seed}"
    finished = await place.registry("finished")
    assert len(finished) + len(place.stock.job_ids) == 1500, f"seed {seed}"
    assert len(finished) > 16
    assert set(Counter(said.job_id for said in await place.announced()).values()) == {2}


@pytest.mark.slow
async def test_a_long_job_is_not_taken_for_dead(place: Place) -> None:
    """A SimpleWorker sends no heartbeat at work; its colleague, who keeps house every second, must not fail its job."""
    await place.worker()
    await place.post(1, 4.5)
    await until(lambda: place.told("started", 1))
    await place.worker()
    await until(lambda: place.told("finished", 1))
    await until(lambda: place.job(1).is_finished)
    assert await place.registry("failed") == []


async def test_a_dead_worker_is_missed_soon(place: Place) -> None:
    """Also where no stack settles for it: RQ itself gives its job up some seconds after the job's own timeout."""
    worker = await place.worker()
    await place.post(1, 20.0)
    await until(lambda: place.told("started", 1))
    worker.kill()
    ((_, expires),) = await place.redis.zrange(f"rq:wip:{QUEUE}", 0, -1, withscores=True)
    timeout_s = place.job(1).timeout
    assert timeout_s is not None
    assert 0 < expires - time.time() - timeout_s <= 3
    place.stock.started_job_registry.cleanup(timestamp=time.time() + timeout_s + 4)
    assert await place.registry("failed") == [f"{RUN}-1-1"]


@pytest.mark.parametrize(("kind", "timings"), [("forked", "classroom"), ("simple", "fast")])
def test_an_unknown_class_or_timing_is_refused(kind: str, timings: str) -> None:
    """Before anything is connected to; the message has name, value and what there is."""
    with pytest.raises(LabError, match=r"worker\.(class|timings) = '(forked|fast)': must be one of "):
        work({}, QUEUE, 0, kind, timings)


def test_a_worker_does_not_carry_what_it_does_not_need() -> None:
    """Arrays and figures are for those who look at runs: they would double what each worker takes."""
    code = (
        "import sys, demo_workers.queueing.worker; print(sorted({'numpy', 'matplotlib', 'uvicorn'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
