"""What a worker leaves behind when it is killed, and that it is put in order at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from itertools import count

import pytest

from demo_workers.queueing.dead_workers import Settled, settle
from demo_workers.records.events import Outcome
from demo_workers.services.children.child import Child
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until
from tests.patience import patience

pytestmark = [pytest.mark.live, pytest.mark.faults]


async def killed(worker: Child) -> None:
    """SIGKILL it and wait until it is gone."""
    worker.kill()
    await worker.wait()


async def pop(place: Place) -> None:
    """Take a job as a worker does that dies before it can register it."""
    await place.redis.lmove(f"rq:queue:{QUEUE}", f"rq:queue:{QUEUE}:intermediate", "LEFT", "RIGHT")


async def test_a_job_in_hand_is_given_up_at_once(place: Place) -> None:
    """Its slot is free, RQ's failed registry has it as abandoned, and of the worker nothing is left in Redis."""
    worker = await place.worker()
    await place.post(1, 30.0, limit=1)
    await until(lambda: place.told("started", 1))
    assert (await place.post(2, limit=1)).outcome is Outcome.SHED
    await killed(worker)
    began = time.monotonic()
    assert await settle(place.redis, QUEUE, f"{QUEUE}-w0") == [Settled(f"{RUN}-1-1", "running")]
    assert time.monotonic() - began < patience(0.3)
    assert await place.held() == (set(), set())
    assert (await place.post(2, limit=1))[:2] == (Outcome.ADMITTED, 1)
    job, result = place.job(1), place.job(1).latest_result()
    assert job.is_failed
    assert result is not None
    assert "AbandonedJobError" in (result.exc_string or "")
    assert f"{QUEUE}-w0 has died" in (result.exc_string or "")
    assert await place.registry("failed") == [job.id]
    for key in (f"rq:job:{job.id}", f"rq:results:{job.id}"):
        assert 0 < await place.redis.ttl(key) <= 60
    assert job.get_executions() == []
    assert [key async for key in place.redis.scan_iter("rq:*w0*")] == []
    assert await place.redis.smembers("rq:workers") == await place.redis.smembers(f"rq:workers:{QUEUE}") == set()


async def test_it_looks_as_when_rq_gives_it_up(place: Place) -> None:
    """Status, fields and result are those that RQ's own clean-up writes."""
    workers = await asyncio.gather(place.worker(), place.worker())
    for request in (1, 2):
        await place.post(request, 20.0)
        await until(lambda request=request: place.told("started", request))  # type: ignore[misc]
    for worker in workers:
        await killed(worker)
    first, _ = [said for said in await place.announced() if said.kind == "started"]
    ours, theirs = first.job_id, {f"{RUN}-1-1": f"{RUN}-2-1", f"{RUN}-2-1": f"{RUN}-1-1"}[first.job_id]
    await settle(place.redis, QUEUE, first.worker)
    place.stock.started_job_registry.cleanup(timestamp=time.time() + 100)
    mine, other = await place.hash_of(ours), await place.hash_of(theirs)
    assert mine.keys() == other.keys()
    assert mine[b"status"] == other[b"status"] == b"failed"
    ((_, result),) = await place.redis.xrange(f"rq:results:{ours}")
    ((_, as_rq),) = await place.redis.xrange(f"rq:results:{theirs}")
    assert result.keys() == as_rq.keys()
    assert {k: v for k, v in result.items() if k != b"exc_string"} == {
        k: v for k, v in as_rq.items() if k != b"exc_string"
    }


async def test_a_job_popped_but_not_registered_is_found(place: Place) -> None:
    """RQ would come upon it after a minute."""
    await place.post(1)
    await pop(place)
    assert await settle(place.redis, QUEUE, f"{QUEUE}-w0") == [Settled(f"{RUN}-1-1", "intermediate")]
    assert await place.held() == (set(), set())
    assert await place.registry("failed") == [f"{RUN}-1-1"]


async def test_without_living_colleagues_nothing_is_waited_for(place: Place) -> None:
    """Nobody else can have popped it."""
    await place.post(1)
    await pop(place)
    began = time.monotonic()
    assert len(await settle(place.redis, QUEUE, f"{QUEUE}-w0", live_workers=[])) == 1
    assert time.monotonic() - began < patience(0.2)


async def test_what_the_living_hold_is_left_alone(place: Place) -> None:
    """A colleague's job that runs, one it is just registering, and one it registers while we look."""
    await place.worker(number=1)
    await place.post(1, 2.0)
    await until(lambda: place.told("started", 1))
    for request in (2, 3):
        await place.post(request)
        await pop(place)
    wip, later = f"rq:wip:{QUEUE}", 2e9
    await place.redis.zadd(wip, {f"{RUN}-2-1:0123abcd": later})
    looks = await _looks(place)
    looking = asyncio.create_task(settle(place.redis, QUEUE, f"{QUEUE}-w0", live_workers=[f"{QUEUE}-w1"]))
    await until(lambda: _looks(place, looks + 3))
    assert not looking.done()
    await place.redis.zadd(wip, {f"{RUN}-3-1:0123abcd": later})
    began = time.monotonic()
    assert await looking == []
    assert time.monotonic() - began < patience(0.3)  # it does not wait on when there is nothing to wait for
    assert await place.held() == ({f"{RUN}-2-1", f"{RUN}-3-1"}, {f"{RUN}-{n}-1" for n in (1, 2, 3)})
    await until(lambda: place.told("finished", 1))
    assert await place.registry("failed") == []


async def _looks(place: Place, least: int = 0) -> int:
    """How often anybody has looked at what was popped; 0 where that is less than so often."""
    stats = await place.redis.info("commandstats")
    calls = int(stats.get("cmdstat_lrange", {}).get("calls", 0))
    return calls if calls >= least else 0


async def test_a_job_that_rq_had_finished_stays_finished(place: Place) -> None:
    """Only its leftovers go."""
    worker = await place.worker()
    await place.post(1, 30.0)
    await until(lambda: place.told("started", 1))
    await killed(worker)
    await place.redis.hset(f"rq:job:{RUN}-1-1", "status", "finished")
    assert await settle(place.redis, QUEUE, f"{QUEUE}-w0") == [Settled(f"{RUN}-1-1", "finished")]
    assert place.job(1).is_finished
    assert await place.held() == (set(), set())
    assert await place.registry("failed") == []


async def test_two_deaths_at_once_account_for_a_popped_job_once(place: Place) -> None:
    """Both are settled together, and neither job is told twice or forgotten."""
    workers = await asyncio.gather(place.worker(), place.worker())
    for request in (1, 2, 3):
        await place.post(request, 30.0)
    for request in (1, 2):
        await until(lambda request=request: place.told("started", request))  # type: ignore[misc]
    await pop(place)
    for worker in workers:
        await killed(worker)
    both = await asyncio.gather(*(settle(place.redis, QUEUE, f"{QUEUE}-w{n}") for n in (0, 1)))
    assert sorted(both[0] + both[1]) == [
        (f"{RUN}-1-1", "running"),
        (f"{RUN}-2-1", "running"),
        (f"{RUN}-3-1", "intermediate"),
    ]
    assert await place.held() == (set(), set())


async def test_settling_twice_finds_nothing_more(place: Place) -> None:
    """Nor does settling for a worker that held nothing, or that never was."""
    worker = await place.worker()
    await place.post(1, 30.0)
    await until(lambda: place.told("started", 1))
    await killed(worker)
    assert len(await settle(place.redis, QUEUE, f"{QUEUE}-w0")) == 1
    assert await settle(place.redis, QUEUE, f"{QUEUE}-w0") == []
    assert await settle(place.redis, QUEUE, f"{QUEUE}-w9") == []


async def test_a_death_at_housekeeping_does_not_stop_housekeeping(place: Place) -> None:
    """RQ's lock would keep everybody else from it for fifteen minutes."""
    assert place.stock.acquire_maintenance_lock()
    await settle(place.redis, QUEUE, f"{QUEUE}-w0")
    assert place.stock.acquire_maintenance_lock()


async def _feed(place: Place, admitted: set[str], enough: asyncio.Event) -> None:
    """Keep the queue full until it is enough; not until cancelled, which may be between a decision and its reply."""
    for request in count():
        if enough.is_set():
            return
        if (await place.post(request, 0.002, limit=12)).outcome is Outcome.ADMITTED:
            admitted.add(f"{RUN}-{request}-1")
        await asyncio.sleep(0.001)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_kills_at_random_moments_lose_nothing(place: Place) -> None:
    """Twelve workers killed one after the other under load: each job ends in one registry, each slot is free again."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    admitted: set[str] = set()
    workers = {f"{QUEUE}-w{n}": await place.worker() for n in range(6)}
    enough = asyncio.Event()
    feeding = asyncio.create_task(_feed(place, admitted, enough))
    settled: list[Settled] = []
    for n in range(6, 18):
        end = time.monotonic() + chance.uniform(0.01, 0.2)
        await until(lambda end=end: time.monotonic() > end)  # type: ignore[misc]
        name = chance.choice(list(workers))
        await killed(workers.pop(name))
        settled += await settle(place.redis, QUEUE, name, live_workers=workers)
        holders = {await place.redis.hget(f"rq:job:{job}", "worker_name") for job in (await place.held())[1]}
        assert name.encode() not in holders, f"seed {seed}"
        assert await place.redis.exists(f"rq:worker:{name}", f"rq:worker:{name}:executions") == 0, f"seed {seed}"
        if n < 12:
            workers[f"{QUEUE}-w{n}"] = await place.worker()
    enough.set()
    await feeding
    assert workers == {}
    assert await place.held() == (set(), set()), f"seed {seed}"
    await place.queue.cancel_waiting(RUN)
    registries = [await place.registry(name) for name in ("finished", "failed", "canceled")]
    ended = Counter(job for jobs in registries for job in jobs)
    assert set(ended) == admitted, f"seed {seed}"
    assert len(admitted) == (await place.queue.counters(RUN))["admitted"]
    assert set(ended.values()) == {1}, f"seed {seed}"
    assert sorted(await place.registry("failed")) == sorted(job for job, where in settled if where != "finished")
    assert len(ended) > 50
    assert await place.queue.depth() == 0
