"""Work horses: what is announced of them whenever they die, and that none outlives its worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path

import psutil
import pytest

from demo_workers.queueing import dead_workers
from demo_workers.services.children.child import Child
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until
from tests.patience import patience
from tests.processes import alive, children_of

pytestmark = pytest.mark.live


def horse(worker: Child) -> psutil.Process | None:
    """The work horse of a worker, if it has one now."""
    return next(iter(children_of(int(worker.pid or 0))), None)


async def at_work(place: Place, worker: Child, request: int = 1) -> psutil.Process:
    """The horse that is at this job."""
    await until(lambda: place.told("started", request))
    found = horse(worker)
    assert found is not None
    return found


async def test_each_job_has_a_process_of_its_own(place: Place) -> None:
    """The function runs in a child of the worker that ends with its job."""
    worker = await place.worker("fork")
    await place.post(1, 1.0)
    first = await at_work(place, worker)
    assert first.ppid() == worker.pid
    await place.post(2, 1.0)
    second = await at_work(place, worker, 2)
    assert second.pid != first.pid
    assert not alive(first)
    await until(lambda: place.told("finished", 2))
    await until(lambda: horse(worker) is None)


async def test_a_killed_horse_is_announced_by_its_worker(place: Place) -> None:
    """Once: failed, its function did not return. RQ has failed the job, the slot is free, the worker goes on."""
    worker = await place.worker("fork")
    await place.post(1, 30.0)
    (await at_work(place, worker)).kill()
    await until(lambda: place.told("finished", 1))
    ends = [said for said in await place.announced() if said.kind == "finished"]
    assert [(said.ok, said.returned, said.number) for said in ends] == [(False, False, 0)]
    assert "died" in ends[0].result
    await until(lambda: place.job(1).is_failed)
    assert await place.held() == (set(), set())
    assert [news["event"] for news in place.news] == ["horse_died"]
    await place.post(2)
    await until(lambda: place.told("finished", 2))
    assert worker.alive


@pytest.mark.parametrize("seed", [random.randrange(10**6) for _ in range(2)], ids=lambda s: "random")
async def test_whenever_a_horse_dies_its_job_ends_once(place: Place, seed: int) -> None:
    """Fifteen horses killed at random moments of jobs of 30 ms, before, in and after the function: each job has exactly
    one announced end, RQ holds none of them, and whatever RQ finished was announced as finished.
    """
    chance = random.Random(seed)
    worker = await place.worker("fork")
    for request in range(15):
        await place.post(request, 0.03)
        await until(lambda request=request: _begun(place, worker, request))  # type: ignore[misc]
        await asyncio.sleep(chance.uniform(0, 0.06))  # a moment, not a wait: any will do
        if (victim := horse(worker)) is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        await until(lambda request=request: place.told("finished", request), what=f"seed {seed}")  # type: ignore[misc]
    await until(lambda: _idle(place), what=f"seed {seed}")
    said = await place.announced()
    ends = [word.job_id for word in said if word.kind == "finished"]
    assert sorted(ends) == sorted({f"{RUN}-{request}-1" for request in range(15)}), f"seed {seed}"
    done = {word.job_id for word in said if word.kind == "finished" and word.ok}
    assert set(await place.registry("finished")) <= done, f"seed {seed}"
    # killed after its announcement, before RQ had put the job away: at most as many as died
    deaths = sum(news["event"] == "horse_died" for news in place.news)
    assert len(done - set(await place.registry("finished"))) <= deaths


async def _begun(place: Place, worker: Child, request: int) -> bool:
    """Also where it was over before anybody looked."""
    return horse(worker) is not None or await place.told("finished", request)


async def _idle(place: Place) -> bool:
    return await place.held() == (set(), set()) and not place.stock.job_ids


async def test_a_killed_worker_takes_its_horse_along(place: Place) -> None:
    """SIGKILL to the worker alone: its horse, in a group of its own, dies with it, and the job is settled as lost."""
    worker = await place.worker("fork")
    await place.post(1, 30.0)
    found = await at_work(place, worker)
    assert os.getpgid(found.pid) != os.getpgid(int(worker.pid or 0))
    os.kill(int(worker.pid or 0), signal.SIGKILL)
    await until(lambda: not alive(found), patience(2))
    await until(lambda: not worker.alive)
    settled = await dead_workers.settle(place.redis, QUEUE, f"{QUEUE}-w0", live_workers=[])
    assert settled == [(f"{RUN}-1-1", "running")]
    assert await place.held() == (set(), set())
    assert not await place.told("finished", 1)


@pytest.mark.parametrize("seed", [random.randrange(10**6) for _ in range(2)], ids=lambda s: "random")
async def test_a_worker_may_die_at_any_moment_of_a_fork(place: Place, seed: int) -> None:
    """Killed between two jobs, while it forks, at a job: no process of it is left two seconds later."""
    chance = random.Random(seed)
    for request in range(200):
        await place.post(request, 0.002)
    for _ in range(4):
        worker = await place.worker("fork")
        await asyncio.sleep(chance.uniform(0.05, 0.3))  # a moment, not a wait: any will do
        group = psutil.Process(worker.pid)
        family = [group, *group.children()]
        os.kill(group.pid, signal.SIGKILL)
        await until(lambda family=family: not any(map(alive, family)), patience(2), f"seed {seed}")  # type: ignore[misc]
        await until(lambda: not _horses_without_a_worker(place), patience(2), f"seed {seed}")


def _horses_without_a_worker(place: Place) -> list[psutil.Process]:
    """Processes of any worker of this test whose parent is another process than this one or a worker."""
    logs = str(place.runtime)
    workers = {worker.pid for worker in psutil.Process().children()}
    found = []
    for process in psutil.process_iter():
        try:
            mine = any(Path(file.path).match(f"{logs}/worker-*.log") for file in process.open_files())
            if mine and process.pid not in workers and process.ppid() not in workers:
                found.append(process)
        except psutil.Error:
            continue
    return found


async def test_the_end_of_its_owner_ends_a_worker_and_its_horse(place: Place) -> None:
    """Its input ends in mid-job: both are gone at once."""
    worker = await place.worker("fork")
    await place.post(1, 30.0)
    found = await at_work(place, worker)
    await worker.stop(grace_s=patience(1.0))
    assert worker.returncode == 0
    await until(lambda: not alive(found), patience(2))
