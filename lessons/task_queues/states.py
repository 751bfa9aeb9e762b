"""Section a: where RQ keeps a job while it waits, runs and has ended, watched in RQ's own keys."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

import redis
from IPython.display import display
from rq import Queue
from rq.job import Job

from demo_workers.stack.workforce import WorkerKind
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.show import statechart
from lessons.show.statechart import Visit
from lessons.task_queues.lesson import Crew, Lesson

WORK_S = 0.25
LOOK_S = 0.002
ENDS = ("finished", "failed")
KEYS = {"queued": "rq:queue", "started": "rq:wip", "finished": "rq:finished", "failed": "rq:failed"}
"""Of each status, the key that holds the job's id meanwhile, less the queue's name."""


class Look(NamedTuple):
    """A look at one job: seconds since it was enqueued, its status, and in which keys its id was."""

    t: float
    status: str
    keys: tuple[str, ...]


class Journey(NamedTuple):
    """One job from its enqueueing to its end; looks that showed nothing new are left out."""

    name: str
    looks: tuple[Look, ...]

    @property
    def statuses(self) -> list[str]:
        """In order."""
        return list(dict.fromkeys(look.status for look in self.looks))

    def keys(self, status: str) -> set[str]:
        """All keys that held the id while the status was this one."""
        return {key for look in self.looks if look.status == status for key in look.keys}

    def since(self, status: str) -> float:
        """When the status was first seen."""
        return next(look.t for look in self.looks if look.status == status)


async def watch_jobs(lesson: Lesson) -> list[Journey]:
    """Enqueue a job that will be finished and one that will fail, then hire a worker; watch both in Redis."""
    async with lesson.crew("states") as crew:
        began = time.monotonic()
        jobs = {
            "the first job": crew.queue.enqueue("demo_workers.queueing.letters.send", "ada", "hello", WORK_S),
            "the second job": crew.queue.enqueue("demo_workers.queueing.letters.send", "bob", "hello", WORK_S, True),
        }
        watching = asyncio.create_task(asyncio.to_thread(_watch, crew, jobs, began))
        await crew.workforce.employ(1, WorkerKind())
        return await watching


def _watch(crew: Crew, jobs: dict[str, Job], began: float) -> list[Journey]:
    found: dict[str, list[Look]] = {name: [] for name in jobs}
    while time.monotonic() < began + WAIT_S:
        for name, job in jobs.items():
            look = _look(crew.connection, crew.queue, job.id, began)
            if not found[name] or found[name][-1][1:] != look[1:]:
                found[name].append(look)
        if all(looks[-1].status in ENDS and looks[-1].keys for looks in found.values()):
            break
        time.sleep(LOOK_S)
    return [Journey(name, tuple(looks)) for name, looks in found.items()]


def _look(connection: redis.Redis, queue: Queue, job_id: str, began: float) -> Look:
    name = queue.name
    with connection.pipeline(transaction=True) as pipe:
        pipe.hget(f"rq:job:{job_id}", "status")
        pipe.lrange(f"rq:queue:{name}", 0, -1)
        for key in ("wip", "finished", "failed"):
            pipe.zrange(f"rq:{key}:{name}", 0, -1)
        status, *held = pipe.execute()
    keys: list[str] = []
    for key, entries in zip(KEYS.values(), held, strict=True):
        members: Any = entries
        # in `wip` stands job:execution, for a job may be executed twice
        if any(entry.decode().partition(":")[0] == job_id for entry in members):
            keys.append(key)
    return Look(time.monotonic() - began, (status or b"").decode(), tuple(keys))


def show_states(journeys: list[Journey]) -> None:
    """Draw the states with the keys, and through which of them each job went."""
    visits = [
        Visit(one.name, status, one.since(status)) for one in journeys for status in one.statuses if status in KEYS
    ]
    display(statechart.states({status: f"{key}:…" for status, key in KEYS.items()}, visits))


def check_states(journeys: list[Journey]) -> None:
    """What section a says of RQ's keys.

    Raises:
        ClaimError: it is not so.
    """
    good, bad = journeys
    numbers = "; ".join(f"{one.name}: {one.looks}" for one in journeys)
    check(
        Claim("the first job was queued, started, finished", good.statuses == ["queued", "started", "finished"],
              numbers),
        Claim("the second one was queued, started, failed", bad.statuses == ["queued", "started", "failed"], numbers),
        Claim("while a job waited, its id was in the queue's list", all(
            KEYS["queued"] in one.keys("queued") for one in journeys), numbers),
        Claim("while it ran, its id was in the list of what is being done", all(
            KEYS["started"] in one.keys("started") for one in journeys), numbers),
        Claim("afterwards it was in the list of the finished, or in that of the failed",
              good.looks[-1].keys == (KEYS["finished"],) and bad.looks[-1].keys == (KEYS["failed"],), numbers),
    )  # fmt: skip
