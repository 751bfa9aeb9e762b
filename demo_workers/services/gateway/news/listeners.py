"""Who listens to which job, and what each listener has not been told yet.

News about a job are states, so a newer one replaces an older one of its kind that was not told yet. However slowly a
listener takes them, at most one of each kind waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from demo_workers.services.gateway.news.waiters import Ending, How, Wait, Waiters
from demo_workers.services.gateway.web.problems import unavailable

MOST = 256
"""Streams that may be open at once: as many jobs as one poll looks at."""

CLOSING = "closing"
"""The event that says that the stream ends though the job goes on."""

REDIS_LOST = "redis_lost"
"""The event that says that nothing more can be heard."""

EVENTS = (
    *("queued", "started", "progress"),
    *("finished", "failed", "stopped", "canceled", "expired"),
    *(CLOSING, REDIS_LOST),
)
"""Names of events, in the order in which they may come: states, ends, and what ends a stream but not its job."""

_ENDS = {How.FINISHED: "result", How.FAILED: "error"}
_NAMES = {
    How.CANCELLED: "canceled",
    How.DROPPED: "canceled",
    How.CLOSING: CLOSING,
    How.REDIS_LOST: REDIS_LOST,
}


class Listener:
    """One stream's news.

    Attributes:
        over: nothing more will come; what was not taken yet can be taken still.

    Args:
        job_id: the job it listens to.
        wait: its place among those who wait for the job's end.
    """

    def __init__(self, job_id: str, wait: Wait) -> None:
        self.job_id, self.wait = job_id, wait
        self.over = False
        self._status: str | None = None
        self._progress: Any = None
        self._news: dict[str, dict[str, Any]] = {}
        self._fresh = asyncio.Event()
        wait.add_done_callback(self._ended)

    def begin(self, job: dict[str, Any]) -> dict[str, Any]:
        """The first event: the job as it is. What was heard while it was looked up and says no more is forgotten."""
        for stale in ("queued", "progress", job["status"]):
            self._news.pop(stale, None)
        if self._status != "started":
            self._status = job["status"]
        self._progress = job.get("progress")
        return job

    def status(self, status: str) -> None:
        """The job is ``queued`` or ``started`` now."""
        if status != self._status:
            self._status = status
            self._tell(status, {"id": self.job_id, "status": status})

    def progress(self, progress: Any) -> None:
        """What the job says of itself; the same again is no news."""
        if progress is not None and progress != self._progress:
            self._progress = progress
            self._tell("progress", {"id": self.job_id, "status": self._status, "progress": progress})

    async def fresh(self, patience_s: float) -> bool:
        """Wait until there is something to take; False when there is nothing after ``patience_s`` seconds."""
        try:
            async with asyncio.timeout(patience_s):
                await self._fresh.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """The news since the last time, by the names of their events."""
        news, self._news = self._news, {}
        self._fresh.clear()
        return list(news.items())

    def _ended(self, wait: Wait) -> None:
        self.over = True
        ending: Ending = wait.result()
        if ending.how is How.HUNG_UP:
            self._fresh.set()
            return
        name = _NAMES.get(ending.how, ending.how.value)
        told = {_ENDS[ending.how]: ending.result} if ending.how in _ENDS else {}
        self._tell(name, {"id": self.job_id, "status": name, **told})

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        self._news.pop(name, None)
        self._news[name] = data
        self._fresh.set()


class Listeners:
    """All of them, at most ``MOST``.

    Args:
        waiters: whoever listens also waits for the job's end there.
    """

    def __init__(self, waiters: Waiters) -> None:
        self._waiters = waiters
        self._by_job: dict[str, list[Listener]] = {}
        self._announced: set[str] = set()
        self.count = 0

    def add(self, job_id: str) -> Listener:
        """Begin to listen: before the job is looked up, so that nothing is missed in between.

        Raises:
            Problem: 503, too many are listening.
        """
        if self.count >= MOST:
            raise unavailable("Too many streams are open. Ask GET /jobs/{id} now and then.", limit=MOST)
        listener = Listener(job_id, self._waiters.add(job_id))
        self._by_job.setdefault(job_id, []).append(listener)
        self.count += 1
        return listener

    def remove(self, listener: Listener) -> None:
        """Stop listening; once for each ``add``."""
        self.count -= 1
        self._waiters.remove(listener.job_id, listener.wait)
        others = self._by_job[listener.job_id]
        others.remove(listener)
        if not others:
            del self._by_job[listener.job_id]

    def started(self, job_id: str) -> None:
        """A worker has announced that it begins."""
        if job_id in self._by_job:
            self._announced.add(job_id)
            for listener in self._by_job[job_id]:
                listener.status("started")

    def jobs(self) -> list[str]:
        """Those that somebody listens to. From now on it is remembered what is announced about them."""
        self._announced.clear()
        return list(self._by_job)

    def unannounced(self, job_id: str) -> Iterator[Listener]:
        """Its listeners, unless an announcement has overtaken whoever looked since ``jobs()``."""
        if job_id not in self._announced:
            yield from self._by_job.get(job_id, ())
