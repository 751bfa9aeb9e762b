"""Section d: a job for later, a job every second, and what two schedulers make of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from demo_workers.queueing import letters
from demo_workers.services.child import Child
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.task_queues.lesson import Crew, Lesson, until

DELAY_S = 0.3
PATIENCE_S = 0.8
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
        scheduler_s: when a scheduler was started.
        begun_s: when a worker began it.
    """

    due_s: float
    key: str
    status: str
    scheduler_s: float
    begun_s: float

    def __str__(self) -> str:
        return (
            f"due after {self.due_s:.1f} s; after {PATIENCE_S:.1f} s {self.status!r}, in {self.key}\n"
            f"a scheduler came after {self.scheduler_s:.1f} s; the job began after {self.begun_s:.1f} s"
        )


async def delay_a_job(lesson: Lesson) -> Delayed:
    """Enqueue a letter for a moment later, with an idle worker; bring a scheduler when it is long overdue."""
    async with lesson.crew("delayed", 1) as crew:
        began = time.monotonic()
        job = crew.queue.enqueue_in(timedelta(seconds=DELAY_S), letters.send, "ada", "happy birthday")
        await asyncio.sleep(PATIENCE_S)
        entries: Any = crew.connection.zrange(f"rq:scheduled:{crew.queue.name}", 0, -1)
        key = "rq:scheduled:…" if job.id.encode() in entries else "another key"
        status = str(job.get_status().value)
        scheduler_s = time.monotonic() - began
        async with _timekeepers(crew, [{"kind": "delayed"}]):
            await asyncio.to_thread(until, lambda: job.is_finished, "the delayed job done")
        (begun, _) = letters.read(crew.connection, crew.queue.name)
        return Delayed(DELAY_S, key, status, scheduler_s, begun.t - began)


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
              seen.status == "scheduled" and seen.key.startswith("rq:scheduled"), str(seen)),
        Claim("it ran once a scheduler was there", seen.begun_s >= seen.scheduler_s > seen.due_s, str(seen)),
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
