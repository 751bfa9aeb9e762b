"""Where the script puts a job, and who leaves for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo_workers.policies.admission import PLACE
from demo_workers.queueing.bounded_enqueue import Decision
from demo_workers.queueing.job_hash import order
from demo_workers.records.events import Outcome
from demo_workers.scenario import HOOKS
from tests.demo_workers.policies.admission.line import Job, Line
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until

pytestmark = pytest.mark.live

ARGS = {"service_time_s": 0.0, "kind": "sleep"}
WIP = f"rq:wip:{QUEUE}"


async def come(place: Place, policy: str, limit: int, jobs: list[Job]) -> list[Decision]:
    """One batch of jobs."""
    orders = [order("work", ARGS, f"{RUN}-{job.number}-1", urgent=job.urgent) for job in jobs]
    return await place.queue.decide(orders, limit=limit, place=policy)


async def take(place: Place) -> None:
    """A worker takes the first job: what RQ's does, as far as anybody else can see."""
    job_id = await place.redis.lpop(place.stock.key)
    await place.redis.zadd(WIP, {f"{job_id.decode()}:0": 2e9})


async def waiting(place: Place) -> list[int]:
    """The numbers of the jobs that wait, first the one that is taken next."""
    return numbers(job_id.decode() for job_id in await place.redis.lrange(place.stock.key, 0, -1))


def numbers(job_ids: Iterable[str]) -> list[int]:
    """Which jobs these are."""
    return [int(job_id.split("-")[1]) for job_id in job_ids]


class Twins:
    """The script and the pure functions, told of the same events."""

    def __init__(self, place: Place, policy: str, limit: int, workers: int) -> None:
        self.place, self.line, self.came = place, Line(policy, limit, workers), 0

    async def play(self, event: tuple[str, Any]) -> None:
        """One event on both sides, and a look at both queues."""
        kind, value = event
        if kind == "come":
            await self._come(value)
        elif kind == "take":
            if self.line.waiting and len(self.line.running) < self.line.workers:
                await take(self.place)
            self.line.take()
        elif kind == "finish":
            if self.line.running:
                await self.place.redis.zrem(WIP, f"{RUN}-{self.line.running[0].number}-1:0")
            self.line.finish()
        else:
            self.line.limit = value
        assert await waiting(self.place) == [job.number for job in self.line.waiting]

    async def _come(self, urgent: list[bool]) -> None:
        jobs = [Job(self.came + n, one) for n, one in enumerate(urgent)]
        self.came += len(jobs)
        line = self.line
        for job, decision in zip(jobs, await come(self.place, line.policy, line.limit, jobs), strict=True):
            dropped = len(line.dropped)
            came_in = line.come(job)
            assert decision.outcome is (Outcome.ADMITTED if came_in else Outcome.SHED)
            assert decision.depth == len(line.waiting) + len(line.running)
            assert sorted(numbers(decision.dropped)) == sorted(job.number for job in line.dropped[dropped:])


arrivals = st.tuples(st.just("come"), st.lists(st.booleans(), min_size=1, max_size=5))
others = st.sampled_from([("take", None), ("take", None), ("finish", None)])
lowered = st.tuples(st.just("limit"), st.integers(1, 10))
stories = st.lists(st.one_of(arrivals, others, arrivals, others, lowered), max_size=40)


@given(st.sampled_from(sorted(PLACE)), st.integers(1, 10), st.integers(0, 4), stories)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_script_and_pure_functions_decide_the_same(
    twin_place: tuple[Place, asyncio.Runner], policy: str, limit: int, workers: int, story: list[tuple[str, Any]]
) -> None:
    """For any arrivals, in any batches, takes, finishes and limits: the same jobs wait in the same order."""
    place, runner = twin_place

    async def play() -> None:
        await place.redis.flushall()
        twins = Twins(place, policy, limit, workers)
        for event in story:
            await twins.play(event)

    runner.run(play())


@pytest.fixture
def twin_place() -> Iterator[tuple[Place, asyncio.Runner]]:
    """A server for all the examples, and the loop that its client lives on."""
    with asyncio.Runner() as runner:
        place = Place()
        runner.run(place.start())
        try:
            yield place, runner
        finally:
            runner.run(place.stop())


def test_the_script_knows_every_place() -> None:
    """What a scenario may name."""
    assert set(PLACE) == set(HOOKS["place"])


async def test_a_dropped_job_is_one_that_rq_cancelled(place: Place) -> None:
    """Its hash, its registry and when it is forgotten: as if RQ had done it; the counters tell of it."""
    await come(place, "drop_oldest", 2, [Job(n, False) for n in range(2)])
    stock = place.stock.enqueue("operator.add", 1, 2, job_id="stock")
    stock.cancel()
    (decision,) = await come(place, "drop_oldest", 2, [Job(2, False)])
    assert decision == (Outcome.ADMITTED, 2, f"{RUN}-2-1", [f"{RUN}-0-1"])
    assert place.job(0).is_canceled
    assert set(place.stock.canceled_job_registry.get_job_ids()) == {"stock", f"{RUN}-0-1"}
    ours, theirs = await place.hash_of(f"{RUN}-0-1"), await place.hash_of("stock")
    assert set(theirs) - set(ours) <= {b"ttl"}
    assert 0 < await place.redis.ttl(f"rq:job:{RUN}-0-1") <= 60
    assert await place.queue.counters(RUN) == {"admitted": 3, "full": 0, "duplicate": 0, "dropped": 1}


async def test_the_last_urgent_one_may_be_taken_out_of_the_middle(place: Place) -> None:
    """Somebody cancels it: the next urgent one still stands behind the others that wait, and before the ordinary."""
    await come(place, "priority", 9, [Job(0, False), Job(1, True), Job(2, True), Job(3, True)])
    await place.redis.lrem(place.stock.key, 1, f"{RUN}-3-1")
    await come(place, "priority", 9, [Job(4, True)])
    assert await waiting(place) == [1, 2, 4, 0]
    await take(place)
    await place.redis.delete(place.stock.key)  # and all of them at once
    await come(place, "priority", 9, [Job(5, False), Job(6, True)])
    assert await waiting(place) == [6, 5]


async def test_what_the_script_remembers_of_urgent_jobs_is_bounded(place: Place) -> None:
    """No longer than the urgent ones that wait, however many have come."""
    for n in range(0, 60, 3):
        await come(place, "priority", 9, [Job(n, True), Job(n + 1, False), Job(n + 2, True)])
        for _ in range(3):
            await take(place)
        await place.redis.delete(WIP)
        assert await place.redis.llen(f"{QUEUE}:urgent") <= 2


async def test_stock_workers_serve_in_the_order_of_the_place(place: Place) -> None:
    """A real worker takes from the head: the newest first under lifo."""
    await come(place, "lifo", 9, [Job(n, False) for n in range(5)])
    await place.worker()
    await until(lambda: place.told("finished", 0))
    started = [said.job_id for said in await place.announced() if said.kind == "started"]
    assert numbers(started) == [4, 3, 2, 1, 0]
