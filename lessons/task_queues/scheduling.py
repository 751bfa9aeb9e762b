"""Section d: a job for later, a job every second, and what two schedulers make of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from rq import Retry
from rq.job import JobStatus
from rq.scheduler import RQScheduler

from demo_workers.queueing import letters
from demo_workers.services.children.child import Child
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.task_queues.lesson import Crew, Lesson, until

SCHEDULED = "rq:scheduled:…"
PUT_AWAY = (JobStatus.SCHEDULED, JobStatus.FAILED)
DELAY_S = 0.2
PATIENCE_S = 0.5
"""How long the delayed job is watched while no scheduler is there."""

TICK_S = 1.0
"""RQ's scheduler looks once a second, and forgets fractions of one. Source: rq 3.0, ``RQScheduler``."""

INTERVAL_S = 1
PERIODS_S = 1.4
"""How long the schedulers of the periodic job run."""


class Delayed(NamedTuple):
    """A job for later; times in seconds after its enqueueing.

    Attributes:
        due_s: when it was to run.
        key: the key of RQ that held it when it was overdue and no scheduler was there.
        status: its status then.
        scheduler_s: when two schedulers were started.
        begun_s: each time that a worker began it.
        locked: whether one of the schedulers held RQ's lock then.
        retry_key: the key that held another job, which had failed and was to be tried again later.
    """

    due_s: float
    key: str
    status: str
    scheduler_s: float
    begun_s: tuple[float, ...]
    locked: bool
    retry_key: str

    def __str__(self) -> str:
        return (
            f"due after {self.due_s:.1f} s; after {PATIENCE_S:.1f} s {self.status!r}, in {self.key}\n"
            f"two schedulers came after {self.scheduler_s:.1f} s; the job began {len(self.begun_s)} time(s), "
            f"after {self.begun_s[0]:.1f} s"
        )


async def delay_a_job(lesson: Lesson) -> Delayed:
    """Enqueue a letter for a moment later, with an idle worker; bring two schedulers when it is overdue.

    Another letter fails at once, and is to be tried again in a second.
    """
    async with lesson.crew("delayed", 1) as crew:
        began = time.monotonic()
        job = crew.queue.enqueue_in(timedelta(seconds=DELAY_S), letters.send, "ada", "happy birthday")
        again = crew.queue.enqueue(letters.send, "bob", "hello", 0.0, True, retry=Retry(max=1, interval=1))
        await asyncio.sleep(PATIENCE_S)
        await asyncio.to_thread(until, lambda: again.get_status() in PUT_AWAY, "the other letter failed")
        key, retry_key = (_key(crew, one.id) for one in (job, again))
        status = str(job.get_status().value)
        scheduler_s = time.monotonic() - began
        async with _timekeepers(crew, [{"kind": "delayed"}] * 2):
            await asyncio.to_thread(until, lambda: job.is_finished, "the delayed job done")
            locked = bool(crew.connection.exists(RQScheduler.get_locking_key(crew.queue.name)))
        lines = letters.read(crew.connection, crew.queue.name)
        begun_s = tuple(line.t - began for line in lines if (line.what, line.to) == ("begun", "ada"))
        return Delayed(DELAY_S, key, status, scheduler_s, begun_s, locked, retry_key)


def _key(crew: Crew, job_id: str) -> str:
    entries: Any = crew.connection.zrange(f"rq:scheduled:{crew.queue.name}", 0, -1)
    return SCHEDULED if job_id.encode() in entries else "another key"


class Periodic(NamedTuple):
    """How many jobs were enqueued in the same time.

    Attributes:
        one: by one scheduler.
        two: by two.
        mended: by two whose jobs have an id made of task and period.
        twice: most mended jobs with one id.
    """

    one: int
    two: int
    mended: int
    twice: int

    def __str__(self) -> str:
        return f"one scheduler: {self.one} jobs; two: {self.two}; two, mended: {self.mended}"


async def two_schedulers(lesson: Lesson) -> Periodic:
    """Run a job every second for some seconds: by one scheduler, by two, and by two that cannot double it."""
    one, two, mended = await asyncio.gather(
        _enqueued(lesson, "one", 1, once=False),
        _enqueued(lesson, "two", 2, once=False),
        _enqueued(lesson, "mended", 2, once=True),
    )
    twice = max((mended.count(job_id) for job_id in mended), default=0)
    return Periodic(len(one), len(two), len(mended), twice)


async def _enqueued(lesson: Lesson, name: str, schedulers: int, *, once: bool) -> list[str]:
    config = {"kind": "periodic", "interval_s": INTERVAL_S, "once": once}
    async with lesson.crew(name) as crew:
        async with _timekeepers(crew, [config] * schedulers):
            await asyncio.sleep(PERIODS_S)
        return list(crew.queue.get_job_ids())


@asynccontextmanager
async def _timekeepers(crew: Crew, configs: list[dict[str, Any]]) -> AsyncIterator[None]:
    """RQ's schedulers, each a process; they start together and have gone when the block ends."""
    common = {"address": dict(crew.address), "queue": crew.queue.name}
    keepers = [
        Child(f"timekeeper {n}", "demo_workers.queueing.timekeeper", common | config,
              crew.logs / f"timekeeper-{crew.queue.name}-{n}.log")
        for n, config in enumerate(configs)
    ]  # fmt: skip
    try:
        await asyncio.gather(*(keeper.start(timeout_s=WAIT_S) for keeper in keepers))
        yield
    finally:
        await asyncio.gather(*(keeper.stop(grace_s=0) for keeper in keepers))


def check_delayed(seen: Delayed) -> None:
    """What section d says of a delayed job.

    Raises:
        ClaimError: it is not so.
    """
    check(
        Claim("overdue, with an idle worker and no scheduler, it still lay in the list of what is for later",
              seen.status == "scheduled" and seen.key == SCHEDULED, str(seen)),
        Claim("a failed job whose retry was to come later lay there too", seen.retry_key == SCHEDULED, repr(seen)),
        Claim("it ran when schedulers were there", seen.begun_s[0] >= seen.scheduler_s > seen.due_s, str(seen)),
        Claim("the two schedulers had a lock between them, and it ran only once",
              seen.locked and len(seen.begun_s) == 1, str(seen)),
    )  # fmt: skip


def check_periodic(seen: Periodic) -> None:
    """What section d says of two schedulers.

    Raises:
        ClaimError: it is not so.
    """
    check(
        Claim("two schedulers did everything twice", seen.two >= 2 * seen.one - 2 and seen.two > seen.one, str(seen)),
        Claim("mended, two did as much as one, give or take a job", abs(seen.mended - seen.one) <= 1, str(seen)),
        Claim("no job of a period was enqueued a second time", seen.twice == 1, f"{seen}, {seen.twice}"),
    )
