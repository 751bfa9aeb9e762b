"""The hash of a job as RQ's own ``enqueue`` would write it, composed without making a ``Job``.

Making a Job and turning it into a hash costs more than the rest of an admission. What all jobs of a queue have in
common is taken from a Job once, by RQ's public interface; a test holds every field equal to what RQ writes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from rq import Queue
from rq.utils import get_call_string, now, utcformat

from demo_workers.queueing.tasks import TASKS

_LONGEST_ARGUMENT = 75
"""Characters of an argument in a job's description. Source: rq 3.0, Job.get_call_string."""

_OWN = ("created_at", "enqueued_at", "data", "description", "timeout")


class Order(NamedTuple):
    """A job to be let in; the script takes it as it is.

    Attributes:
        run: first part of the job's id; counted by it.
        job_id: RQ's job id: the run, a dash, and what tells the run's jobs apart.
        urgent: goes before the others where the place is ``priority``.
        key: idempotency key, a digest; empty without one.
        description, timeout, meta, data: fields of the job hash; ``timeout`` in whole seconds, ``meta`` empty without.
    """

    run: str
    job_id: str
    urgent: bool
    key: str
    description: str
    timeout: int
    meta: str
    data: bytes


def order(
    task: str,
    args: Mapping[str, Any],
    job_id: str,
    *,
    urgent: bool = False,
    key: str = "",
    expires_at: float | None = None,
) -> Order:
    """A job in the form that the script takes.

    Args:
        task: name of a registered task.
        args: its arguments as ``tasks.decode_args`` returns them.
        job_id: RQ's job id, which begins with the run's name and a dash.
        urgent: goes before the others where the place is ``priority``.
        key: digest of an idempotency key; empty without one.
        expires_at: seconds since the epoch after which nobody waits for the job's end; it becomes the job's meta.
    """
    path = TASKS[task].path
    data = b'["%b", null, [], %b]' % (path.encode(), json.dumps(args).encode())
    description = get_call_string(path, (), dict(args), max_length=_LONGEST_ARGUMENT) or ""
    meta = "" if expires_at is None else json.dumps({"expires_at": expires_at})
    run = job_id.partition("-")[0]
    return Order(run, job_id, urgent, key, description, TASKS[task].timeout_s(args), meta, zlib.compress(data))


class CommonFields:
    """The part of the hash that all jobs of a queue share.

    Args:
        queue: the RQ queue.
        keep_s: how long results and failures stay readable (seconds).
    """

    def __init__(self, queue: Queue, keep_s: int) -> None:
        job = queue.create_job("none", result_ttl=keep_s, failure_ttl=keep_s)
        self._fields = {field: value for field, value in job.to_dict().items() if field not in _OWN}

    def now(self) -> list[str | int]:
        """Field, value, field, value, … of jobs that are enqueued now."""
        moment = utcformat(now())
        fields = self._fields | {"created_at": moment, "enqueued_at": moment}
        return [part for field in fields.items() for part in field]


def whole_hash(order: Order, common: list[str | int]) -> list[Any]:
    """All fields and values of one job's hash."""
    own = ["data", order.data, "description", order.description, "timeout", order.timeout]
    return [*common, *own, *(("meta", order.meta) if order.meta else ())]
