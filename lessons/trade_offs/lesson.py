"""The running system of chapter 05, and the three ways to ask it for work."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import httpx

from demo_workers.errors import LabError
from demo_workers.stack import Stack
from lessons import job_events
from lessons.chapter import Chapter

WORKERS = 1
LIKE_S = 0.0001
"""The work of a like: one write to a database near by."""

PATIENCE_S = 20
"""How long a caller waits for a result, whole seconds."""


class Answers(NamedTuple):
    """How long one kind of work takes to be answered in three ways (seconds; the lower quartile of several times).

    Attributes:
        work_s: the work itself.
        inline_s: ``POST /sync``: the web server does it.
        queued_s: ``POST /jobs`` with ``Prefer: wait``: a worker does it, and the caller waits.
        accepted_s: ``POST /jobs``: until the 202. The work is not done then.
    """

    work_s: float
    inline_s: float
    queued_s: float
    accepted_s: float

    @property
    def ratio(self) -> float:
        """Waiting for the queue against inline."""
        return self.queued_s / self.inline_s

    @property
    def share(self) -> float:
        """What part of the wait is the queue's doing; below zero where chance was larger than that."""
        return (self.queued_s - self.inline_s) / self.queued_s


class Lesson(Chapter):
    """Redis, gateway and one worker; made by ``open_lesson``.

    Args:
        stack: all of it.

    Attributes:
        like: what section a measured of a like, once it did.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, WORKERS)
        self.like: Answers | None = None


async def open_lesson() -> Lesson:
    """Start Redis, gateway and one worker. Running it again replaces what the first call started."""
    lesson = Lesson(Stack("05_trade_offs"))
    await lesson.start()
    print(f"{lesson.stack.redis.name}, {WORKERS} worker behind the gateway.")
    return lesson


async def inline(http: httpx.AsyncClient, work_s: float) -> float:
    """Have the web server do the work; returns the seconds until its answer."""
    return await _asked(http, "/sync", work_s, 200)


async def queued(http: httpx.AsyncClient, work_s: float) -> float:
    """Have a worker do it and wait; returns the seconds until the result."""
    return await _asked(http, "/jobs", work_s, 200, {"Prefer": f"wait={PATIENCE_S}"})


async def accepted(http: httpx.AsyncClient, work_s: float) -> tuple[float, str]:
    """Have a worker do it and go on; returns the seconds until the 202, and the job's address."""
    began = time.monotonic()
    answer = await http.post("/jobs", json=_order(work_s))
    took_s = time.monotonic() - began
    _expect(answer, 202)
    return took_s, str(answer.headers["location"])


async def fill(http: httpx.AsyncClient, jobs: int, work_s: float) -> list[str]:
    """Put other people's jobs into the queue; returns their addresses."""
    return [(await accepted(http, work_s))[1] for _ in range(jobs)]


async def ended(http: httpx.AsyncClient, locations: list[str]) -> None:
    """Wait until these jobs are done.

    Raises:
        LabError: one ended otherwise.
    """
    for location in locations:
        async with asyncio.timeout(PATIENCE_S):
            how = await job_events.end(http, location)
        if how != "finished":
            raise LabError(f"{location} = {how!r}: must be finished. Run the cell again.")


async def _asked(
    http: httpx.AsyncClient, path: str, work_s: float, status: int, headers: dict[str, str] | None = None
) -> float:
    began = time.monotonic()
    answer = await http.post(path, json=_order(work_s), headers=headers)
    took_s = time.monotonic() - began
    _expect(answer, status)
    return took_s


def _order(work_s: float) -> dict[str, object]:
    return {"task": "work", "args": {"service_time_s": work_s}}


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise LabError(f"{asked} = {answer.status_code}: must be {status}. {answer.text}")
