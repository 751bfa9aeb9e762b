"""The gateway's part of a run's record: who was let in, which executions began, how each one ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from demo_workers.queueing.announce import Announcement, boot_id
from demo_workers.records.events import NAN, Kind, Outcome, Result, writer_to
from demo_workers.services.gateway.web.heads import Name

Job = tuple[int, int]
"""Request and attempt."""

_JOB_ID = re.compile(r"([^-]+)-([0-9]{1,10})-([0-9]{1,5})")


@dataclass
class Counts:
    """Plain integers, counted beside the record and not from it: its witness."""

    admitted: int = 0
    duplicate: int = 0
    shed: int = 0
    throttled: int = 0
    errored: int = 0
    unasked: int = 0
    started: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    dropped: int = 0
    lost: int = 0

    def decided(self, outcome: Outcome) -> None:
        """One attempt more with this outcome."""
        name = outcome.name.lower()
        setattr(self, name, getattr(self, name) + 1)

    def add(self, others: Counts) -> None:
        """Count what others have counted too."""
        for name, value in others.to_dict().items():
            setattr(self, name, getattr(self, name) + value)

    def to_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


RECENT = 10_000
"""Jobs whose start or end is remembered. Whoever still has something to say about one says it within seconds: the
script that let it in, a second announcement, the stack that settles for a dead worker."""


class _Recent:
    """The last ``RECENT`` jobs that were added: a run of hours must not remember them all."""

    def __init__(self) -> None:
        self._jobs: dict[Job, None] = {}

    def __contains__(self, job: Job) -> bool:
        return job in self._jobs

    def add(self, job: Job) -> None:
        self._jobs[job] = None
        if len(self._jobs) > RECENT:
            del self._jobs[next(iter(self._jobs))]


class Record:
    """Writes the rows of one run, each execution's end exactly once, and knows what is still outstanding.

    Args:
        run: first part of the job ids of this run.
        origin: CLOCK_MONOTONIC seconds of second 0.
        redis_origin: the Redis server's time (seconds) at that moment, for workers on other machines.
        failed: told when the file cannot be written any more.
    """

    def __init__(self, run: str, origin: float, path: Path, redis_origin: float, failed: Callable[[str], None]) -> None:
        self.run = run
        self.clock = "same"
        self._writer = writer_to(path, origin)
        self._origin, self._redis_origin = origin, redis_origin
        self._failed = failed
        self._open = True
        self._waiting: set[Job] = set()
        self._running: dict[Job, list[int]] = {}  # the workers that are at it; two is at-least-once
        self._begun = _Recent()  # started or ended at least once
        self._ended = _Recent()

    @property
    def rows(self) -> int:
        """How many were written."""
        return self._writer.rows

    @property
    def outstanding(self) -> dict[str, int]:
        """Jobs ``waiting`` and ``running``."""
        return {"waiting": len(self._waiting), "running": len(self._running)}

    def is_running(self, job_id: str) -> bool:
        """Whether a worker is known to be at this job."""
        return self._job(job_id) in self._running

    def is_open(self, job_id: str) -> bool:
        """Whether this job was let in or begun, and its end was not heard."""
        return self._job(job_id) in self._waiting or self.is_running(job_id)

    def now(self) -> float:
        """Seconds since the run's origin."""
        return self._writer.now()

    def decision(self, name: Name, t: float, outcome: Outcome, *, status: int, depth: int, limit: int | None) -> None:
        """What became of an attempt; ``t`` was taken before the script was sent."""
        job = name.request, name.attempt
        if outcome is Outcome.ADMITTED and job not in self._begun:
            self._waiting.add(job)
        bound = -1 if limit is None else limit
        self._write(Kind.DECIDED, job, t=t, code=outcome, status=status, depth=depth, limit=bound, actor=name.client)

    def refused_unasked(self, name: Name, depth: int, limit: int | None) -> None:
        """An attempt is refused now, without asking the script."""
        bound = -1 if limit is None else limit
        columns = {"status": 503, "depth": depth, "limit": bound, "actor": name.client, "value": 1.0}
        self._write(Kind.DECIDED, name[:2], t=self._writer.now(), code=Outcome.SHED, **columns)

    def announced(self, said: Announcement) -> None:
        """A worker has started, finished or dropped a job; those of other runs are none of ours."""
        job = self._job(said.job_id)
        if job is None:
            return
        t = self._time(said)
        if said.kind == "started":
            # where the worker's clock is another one, it cannot be told when that was
            picked = said.picked_monotonic - self._origin if said.boot == boot_id() else NAN
            self._started(job, said.number, t, picked)
        else:
            result = Result.DROPPED if said.kind == "dropped" else Result.OK if said.ok else Result.FAILED
            self._finished(job, said.number, t, result, returned=said.returned)

    def cancelled(self, job_ids: Iterable[str]) -> list[str]:
        """These jobs were taken out of the queue; returns those that were still waiting."""
        return [job_id for job_id in job_ids if self._never_ran(job_id, Result.CANCELLED)]

    def dropped(self, job_ids: Iterable[str]) -> list[str]:
        """These left the queue for others; returns those that were still waiting."""
        return [job_id for job_id in job_ids if self._never_ran(job_id, Result.DROPPED)]

    def lost(self, job_ids: Iterable[str]) -> list[str]:
        """A dead worker held these; returns those that had not finished."""
        return [job_id for job_id in job_ids if self._lost(job_id)]

    def close(self) -> None:
        """Close the file; what comes later is not written."""
        self._open = False
        self._writer.close()

    def _started(self, job: Job, worker: int, t: float, picked: float) -> None:
        self._waiting.discard(job)
        self._begun.add(job)
        if worker in self._running.get(job, ()):
            # it cannot be at the same job twice: the first time ended without a word
            self._end(job, worker, Result.LOST)
        self._running.setdefault(job, []).append(worker)
        self._write(Kind.STARTED, job, t=t, actor=worker, value=picked)

    def _finished(self, job: Job, worker: int, t: float, result: Result, *, returned: bool) -> None:
        workers = self._running.get(job, [])
        if worker not in workers and job in self._ended:
            return  # this execution was already settled
        self._leave(job, worker)
        times = {"t": t} if returned else {"t": NAN, "value": t}
        self._write(Kind.ENDED, job, code=result, actor=worker, **times)

    def _never_ran(self, job_id: str, result: Result) -> bool:
        job = self._job(job_id)
        if job is None or job in self._begun:
            return False
        self._end(job, -1, result)
        return True

    def _lost(self, job_id: str) -> bool:
        job = self._job(job_id)
        if job is None:
            return False
        if workers := list(self._running.get(job, ())):
            for worker in workers:
                self._end(job, worker, Result.LOST)
            return True
        return self._never_ran(job_id, Result.LOST)

    def _end(self, job: Job, worker: int, result: Result) -> None:
        self._leave(job, worker)
        self._write(Kind.ENDED, job, t=NAN, code=result, actor=worker, value=self.now())

    def _leave(self, job: Job, worker: int) -> None:
        self._waiting.discard(job)
        self._begun.add(job)
        self._ended.add(job)
        workers = self._running.get(job, [])
        if worker in workers:
            workers.remove(worker)
            if not workers:
                del self._running[job]

    def _write(self, kind: Kind, job: Job, **columns: float) -> None:
        if not self._open:
            return
        try:
            self._writer.write(kind, *job, **columns)  # type: ignore[arg-type]
        except OSError as error:
            # a full disk ends the record, not the service
            self.close()
            self._failed(str(error))

    def _time(self, said: Announcement) -> float:
        if said.boot == boot_id():
            return said.t_monotonic - self._origin
        self.clock = "estimated"
        return said.stream_ms / 1000 - self._redis_origin

    def _job(self, job_id: str) -> Job | None:
        match = _JOB_ID.fullmatch(job_id)
        return (int(match[2]), int(match[3])) if match and match[1] == self.run else None
