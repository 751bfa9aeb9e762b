"""Clients that are waiting for a job's end, and what they may hear."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import NamedTuple

import msgspec

from demo_workers.services.gateway.web.asgi import Receive, hung_up
from demo_workers.services.gateway.web.problems import unavailable


class How(Enum):
    """Why a wait was over."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"  # taken out of the queue before it ran
    DROPPED = "dropped"  # the same, to make room for another or because it came too late
    EXPIRED = "expired"  # it was here once, and nothing is known of it any more
    TIME_OVER = "time over"
    HUNG_UP = "hung up"
    CLOSING = "closing"
    REDIS_LOST = "redis lost"


class Ending(NamedTuple):
    """The end of a wait; ``result`` is JSON, of FINISHED the job's result, of FAILED the error's text."""

    how: How
    result: msgspec.Raw = msgspec.Raw(b"null")


Wait = asyncio.Future[Ending]

MOST = 4000
"""Clients that may wait at once. Fewer than connections, so that a question is answered all the same."""

RECENT = 200
"""Endings remembered. RQ puts a result away some milliseconds after the worker has announced it."""


class Waiters:
    """Who waits for which job; at most ``MOST``, ``count`` at present. A client that hangs up leaves."""

    def __init__(self) -> None:
        self.count = 0
        self._by_job: dict[str, list[Wait]] = {}
        self._recent: dict[str, Ending] = {}
        self._closed = False

    def add(self, job_id: str) -> Wait:
        """Begin to listen for a job's end: before the job is sent off, so that its end cannot be missed.

        Raises:
            Problem: 503, too many are waiting.
        """
        if self.count >= MOST:
            raise unavailable("Too many clients are waiting for results. Ask without Prefer: wait.", limit=MOST)
        self.count += 1
        wait: Wait = asyncio.get_running_loop().create_future()
        if self._closed:
            end(wait, Ending(How.CLOSING))
        else:
            self._by_job.setdefault(job_id, []).append(wait)
        return wait

    def remove(self, job_id: str, wait: Wait) -> None:
        """Stop listening; once for each ``add``."""
        self.count -= 1
        waits = self._by_job.get(job_id, [])
        if wait in waits:
            waits.remove(wait)
        if not waits:
            self._by_job.pop(job_id, None)

    def tell(self, job_id: str, ending: Ending) -> None:
        """The job has ended."""
        self._recent[job_id] = ending
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        self._tell(job_id, ending)

    def tell_again(self, job_id: str) -> bool:
        """Who began to listen just after the end hears of it too; whether it was known."""
        ending = self._recent.get(job_id)
        if ending is not None:
            self._tell(job_id, ending)
        return ending is not None

    def tell_all(self, ending: Ending) -> None:
        """No end will be heard of any more."""
        for job_id in list(self._by_job):
            self._tell(job_id, ending)

    def close(self) -> None:
        """The gateway goes: whoever waits, and whoever still comes, is told so."""
        self._closed = True
        self.tell_all(Ending(How.CLOSING))

    def _tell(self, job_id: str, ending: Ending) -> None:
        for wait in self._by_job.pop(job_id, ()):
            end(wait, ending)


async def outcome(wait: Wait, wait_s: float, receive: Receive) -> Ending:
    """Wait until the job ends, ``wait_s`` seconds are over, or the client hangs up (which cancels nothing)."""
    if wait.done():
        return wait.result()
    loop = asyncio.get_running_loop()
    timer = loop.call_later(wait_s, end, wait, Ending(How.TIME_OVER))
    watch = loop.create_task(hung_up(receive))
    watch.add_done_callback(lambda _: end(wait, Ending(How.HUNG_UP)))
    try:
        return await wait
    finally:
        timer.cancel()
        watch.cancel()


def end(wait: Wait, ending: Ending) -> None:
    """End one wait, if nothing has ended it before."""
    if not wait.done():
        wait.set_result(ending)
