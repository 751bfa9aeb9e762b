"""What the gateway's parts share: the limit in force, the run being recorded, who waits, and how things go."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis.asyncio

from demo_workers.policies.custom import Door
from demo_workers.queueing.announce import Announcement
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.queueing.taking import Rule, take_key
from demo_workers.records.events import Outcome
from demo_workers.scenario import Admission
from demo_workers.services.gateway.door.drain_rate import DrainRate
from demo_workers.services.gateway.door.limits import Limits
from demo_workers.services.gateway.door.refusals import Refusals
from demo_workers.services.gateway.door.throttle import Throttle
from demo_workers.services.gateway.histogram import Histogram
from demo_workers.services.gateway.news.listeners import Listeners
from demo_workers.services.gateway.news.waiters import Ending, How, Waiters
from demo_workers.services.gateway.record import Counts, Record
from demo_workers.services.gateway.web.heads import FIRST_OWN_REQUEST, Name

_LOST = msgspec.Raw(b'"WorkerDied: the worker that was at this job has died"')
MAX_QUESTIONS = 24
"""Looks at single jobs on their way at once. Each holds a connection, and the client's pool has a hundred."""


class RunState:
    """One run's name, its own numbering, its counts, and its record where there is one.

    Attributes:
        limits: what this run may hold inside.
        throttle: how much each of its clients may send.
        asking: attempts that wait for their decision: jobs that may be on their way in.
    """

    def __init__(self, run: str, admission: Admission, record: Record | None = None) -> None:
        self.run, self.record = run, record
        self.limits = Limits(admission)
        self.throttle = Throttle()
        self.counts = Counts()
        self.asking = 0
        self._numbers = itertools.count(FIRST_OWN_REQUEST)

    def now(self) -> float:
        """Seconds since the run's origin; 0 where nothing is recorded."""
        return 0.0 if self.record is None else self.record.now()

    def note(
        self,
        name: Name,
        t: float,
        outcome: Outcome,
        *,
        status: int,
        depth: int = -1,
        limit: int | None = None,
    ) -> None:
        """Count and record what became of an attempt."""
        self.counts.decided(outcome)
        if self.record is not None:
            self.record.decision(name, t, outcome, status=status, depth=depth, limit=limit)

    def refused_unasked(self, name: Name, depth: int, limit: int | None) -> None:
        """Count and record a refusal that the script never saw."""
        self.counts.shed += 1
        self.counts.unasked += 1
        if self.record is not None:
            self.record.refused_unasked(name, depth, limit)

    @property
    def idle(self) -> bool:
        """Whether the record says that none of its jobs is inside, or on its way in."""
        return self.record is not None and not self.asking and not any(self.record.outstanding.values())

    def own_request(self) -> int:
        """A number for a request that does not name itself."""
        return next(self._numbers)


class State:
    """Made once per process; changed by the control verbs and by what workers announce.

    Attributes:
        admission: the rules of the door, with ``place`` and ``naive`` read out of them.
        depth: jobs inside, as last heard.
        questions: taken by whoever asks Redis about a single job.
        sojourns: how long jobs took from admission to end.
        admit: asked before the script; its no is final, its yes only lets the attempt ask.
        written: the reader's own ``admit``, which the policy ``custom`` puts in force.

    Args:
        connection: the Redis client.
        queue: name of the RQ queue.
        admission: the rules of the door.
        result_ttl_s: how long results can be asked for (seconds).
    """

    def __init__(self, connection: redis.asyncio.Redis, queue: str, admission: Admission, *, result_ttl_s: int) -> None:
        self.connection, self.queue_name = connection, queue
        self.queue = BoundedQueue(connection, queue, result_ttl_s=result_ttl_s)
        self.questions = asyncio.Semaphore(MAX_QUESTIONS)
        self.drain = DrainRate()
        self.refusals = Refusals(self.drain)
        self.waiters = Waiters()
        self.listeners = Listeners(self.waiters)
        self.sojourns = Histogram()
        self.depth = 0
        self.admit: Callable[[Door], bool] | None = None
        self.written: Callable[[Door], bool] | None = None
        self.closing = False
        self._telling = asyncio.Lock()
        self._origin = time.monotonic()
        self.admission = admission
        self.run = self.unrecorded()
        self._past = Counts()
        self.steer(admission)

    @property
    def limit(self) -> int | None:
        """The limit in force; None is no limit."""
        return self.run.limits.in_force

    def steer(self, admission: Admission) -> None:
        """Put other rules in force."""
        self.admission = admission
        self.place, self.naive = admission.hook("place"), admission.hook("admit") == "naive"
        self.admit = self.written if admission.hook("admit") == "custom" else None
        self.run.limits.steer(admission)
        self.refusals.forget()

    async def tell_workers(self) -> None:
        """Put into Redis which jobs are not worth doing; workers look there before each job, on other hosts too.

        Raises:
            RedisError, OSError: Redis does not answer.
        """
        async with self._telling:  # whoever comes last has the last word
            rules = self.admission
            rule = Rule(rules.hook("take"), rules.codel_target_s, rules.codel_interval_s)
            await self.connection.set(take_key(self.queue_name), msgspec.json.encode(rule))

    def full_means_no(self, urgent: bool) -> bool:
        """Whether the script has no choice about such a newcomer where the queue is full."""
        return not (self.naive or self.place == "drop_oldest" or (urgent and self.place == "priority"))

    def retry_after_s(self) -> float:
        """When to come back, as things are."""
        return self.drain.retry_after_s(self.depth, self.depth if self.limit is None else self.limit, time.monotonic())

    def dropped(self, job_ids: Sequence[str]) -> None:
        """The script took these out of the queue to make room."""
        run = self.run
        run.counts.dropped += sum(job_id.startswith(run.run + "-") for job_id in job_ids)
        if run.record is not None:
            run.record.dropped(job_ids)
        for job_id in job_ids:
            run.limits.gone(job_id)
            self.waiters.tell(job_id, Ending(How.DROPPED))

    def cancelled(self, job_ids: Sequence[str]) -> None:
        """These were taken out of the queue on request."""
        run = self.run
        run.counts.cancelled += sum(job_id.startswith(run.run + "-") for job_id in job_ids)
        if run.record is not None:
            run.record.cancelled(job_ids)
        self.refusals.forget()
        self.left(len(job_ids))
        for job_id in job_ids:
            run.limits.gone(job_id)
            self.waiters.tell(job_id, Ending(How.CANCELLED))

    def lost(self, job_ids: Sequence[str]) -> int:
        """These were in the hands of a worker that has died; returns how many had not been heard to end."""
        run = self.run
        lost = job_ids if run.record is None else run.record.lost(job_ids)
        run.counts.lost += sum(job_id.startswith(run.run + "-") for job_id in lost)
        self.left(len(lost))
        for job_id in lost:
            run.limits.gone(job_id)
            self.waiters.tell(job_id, Ending(How.FAILED, _LOST))
        return len(lost)

    def is_running(self, job_id: str) -> bool:
        """Whether the record knows of a worker at this job."""
        return self.run.record is not None and self.run.record.is_running(job_id)

    def is_open(self, job_id: str) -> bool:
        """Whether the record waits for the end of this job."""
        return self.run.record is not None and self.run.record.is_open(job_id)

    def left(self, jobs: int) -> None:
        """So many jobs are no longer inside."""
        # the script counts a job until RQ has let go of it, which is after its end was announced
        self.depth = 0 if self.run.idle else max(self.depth - jobs, 0)

    def turn_to(self, run: RunState) -> None:
        """Begin another run; what this one has counted stays counted."""
        self._past.add(self.run.counts)
        self.run = run

    def counts(self) -> dict[str, int]:
        """The counts of all runs since this process began."""
        total = Counts()
        for counts in (self._past, self.run.counts):
            total.add(counts)
        return total.to_dict()

    def unrecorded(self) -> RunState:
        """A run without a record, as between runs and in plain serving."""
        return RunState(secrets.token_hex(4), self.admission)

    def now(self) -> float:
        """Seconds since the run's origin, or since this process began where nothing is recorded."""
        record = self.run.record
        return time.monotonic() - self._origin if record is None else record.now()

    def heard(self, said: Announcement) -> None:
        """A worker has started, finished or dropped a job."""
        run = self.run
        if said.job_id.startswith(run.run + "-"):
            self._count(run.counts, said)
        if run.record is not None:
            run.record.announced(said)
        if said.kind == "started":
            self.listeners.started(said.job_id)
            return
        self.drain.finished(time.monotonic())  # one that was dropped has left as well
        self.refusals.forget()
        inside = self.depth
        self.left(1)
        if said.kind == "dropped":
            run.limits.gone(said.job_id)
            self.waiters.tell(said.job_id, Ending(How.DROPPED))
        else:
            sojourn_s = run.limits.finished(said.job_id, inside)
            if sojourn_s is not None:
                self.sojourns.observe(sojourn_s)
            how = How.FINISHED if said.ok else How.FAILED
            self.waiters.tell(said.job_id, Ending(how, msgspec.Raw(said.result.encode())))

    def redis_lost(self) -> None:
        """Nothing more will be heard."""
        self.waiters.tell_all(Ending(How.REDIS_LOST))

    def close(self) -> None:
        """No new jobs; whoever waits is told so."""
        self.closing = True
        self.waiters.close()

    def _count(self, counts: Counts, said: Announcement) -> None:
        if said.kind == "started":
            counts.started += 1
        elif said.kind == "dropped":
            counts.dropped += 1
        elif said.ok:
            counts.finished += 1
        else:
            counts.failed += 1

    def health(self, depth: int) -> dict[str, Any]:
        """What ``GET /healthz`` says."""
        return {"status": "ok", "depth": depth, "limit": self.limit}
