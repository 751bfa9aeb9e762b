"""What the gateway's parts share: the limit in force, the run being recorded, who waits, and how things go."""

from __future__ import annotations

import itertools
import secrets
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec
import redis.asyncio

from demo_workers.queueing.announce import Announcement
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.scenario import Admission
from demo_workers.services.gateway.drain_rate import DrainRate
from demo_workers.services.gateway.heads import FIRST_OWN_REQUEST
from demo_workers.services.gateway.record import Counts, Record
from demo_workers.services.gateway.waiters import Ending, How, Waiters


class RunState:
    """One run's name, its own numbering, its counts, and its record where there is one."""

    def __init__(self, run: str, record: Record | None = None) -> None:
        self.run, self.record = run, record
        self.counts = Counts()
        self._numbers = itertools.count(FIRST_OWN_REQUEST)

    def deciding(self) -> AbstractContextManager[None]:
        """Around the sending of a script: the record knows that a job may be on its way in."""
        return nullcontext() if self.record is None else self.record.deciding()

    def own_request(self) -> int:
        """A number for a request that does not name itself."""
        return next(self._numbers)


class State:
    """Made once per process; changed by the control verbs and by what workers announce.

    Args:
        connection: the Redis client.
        queue: name of the RQ queue.
        admission: the rules of the door.
        result_ttl_s: how long results can be asked for (seconds).
    """

    def __init__(self, connection: redis.asyncio.Redis, queue: str, admission: Admission, *, result_ttl_s: int) -> None:
        self.connection, self.queue_name = connection, queue
        self.queue = BoundedQueue(connection, queue, result_ttl_s=result_ttl_s)
        self.admission = admission
        self.drain = DrainRate()
        self.waiters = Waiters()
        self.closing = False
        self._origin = time.monotonic()
        self.run = self.unrecorded()

    @property
    def limit(self) -> int | None:
        """The limit in force; None is no limit."""
        return self.admission.limit

    def unrecorded(self) -> RunState:
        """A run without a record, as between runs and in plain serving."""
        return RunState(secrets.token_hex(4))

    def now(self) -> float:
        """Seconds since the run's origin, or since this process began where nothing is recorded."""
        record = self.run.record
        return time.monotonic() - self._origin if record is None else record.now()

    def heard(self, said: Announcement) -> None:
        """A worker has started or finished a job."""
        run = self.run
        if said.job_id.startswith(run.run + "-"):
            self._count(run.counts, said)
        if run.record is not None:
            run.record.announced(said)
        if said.kind == "finished":
            self.drain.finished(time.monotonic())
            how = How.FINISHED if said.ok else How.FAILED
            self.waiters.tell(said.job_id, Ending(how, msgspec.Raw(said.result.encode())))

    def redis_lost(self) -> None:
        """Nothing more will be heard."""
        self.waiters.tell_all(Ending(How.REDIS_LOST))

    def close(self) -> None:
        """No new jobs; whoever waits is told so."""
        self.closing = True
        self.waiters.tell_all(Ending(How.CLOSING))

    def _count(self, counts: Counts, said: Announcement) -> None:
        if said.kind == "started":
            counts.started += 1
        elif said.ok:
            counts.finished += 1
        else:
            counts.failed += 1

    def health(self, depth: int) -> dict[str, Any]:
        """What ``GET /healthz`` says."""
        return {"status": "ok", "depth": depth, "limit": self.limit}
