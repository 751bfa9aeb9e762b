"""Whether a job that a worker has just taken from the queue is still worth doing.

The rule is the scenario's ``take`` policy. The gateway puts it into Redis, where every worker finds it, also one on
another host; none there means that every job is done, as RQ does.
"""

from __future__ import annotations

import math
import time
from typing import Any

import msgspec
from redis.client import Pipeline
from rq import Queue
from rq.defaults import DEFAULT_RESULT_TTL
from rq.job import Job, JobStatus

from demo_workers.policies.admission import TAKE, Taker
from demo_workers.queueing.announce import announce_dropped


class Rule(msgspec.Struct, frozen=True):
    """The value of the key; ``policy`` is one of ``TAKE``, times in seconds."""

    policy: str = "all"
    codel_target_s: float = 0.1
    codel_interval_s: float = 1.0


_rule = msgspec.json.Decoder(Rule)


def take_key(queue: str) -> str:
    """Where a queue's rule is."""
    return f"{queue}:take"


class Taking:
    """One worker's view of the rule, and what the rule has to remember about the jobs that this worker took."""

    def __init__(self) -> None:
        self._stored: bytes | None = None
        self._rule = Rule()
        self._state = Taker()

    def learn(self, stored: bytes | None) -> None:
        """Take over the rule that is in Redis now; one that is none of ours counts as none.

        Args:
            stored: the key's value.
        """
        if stored == self._stored:
            return
        self._stored = stored
        try:
            rule = Rule() if stored is None else _rule.decode(stored)
        except msgspec.DecodeError:
            rule = Rule()
        self._rule = rule if rule.policy in TAKE else Rule()
        self._state = Taker()

    def drops(self, job: Job) -> bool:
        """Whether a job that was just taken is to be dropped. Times are wall clock: the gateway stamped them."""
        now = time.time()
        # a moment of the past that lies ahead is another host's clock
        waited_s = max(0.0, now - job.enqueued_at.timestamp()) if job.enqueued_at else 0.0
        meta: Any = job.meta  # whoever can write to Redis can put anything there
        given = meta.get("expires_at") if isinstance(meta, dict) else None
        expires_s = float(given) if isinstance(given, int | float) else math.inf
        rule = self._rule
        self._state, dropped = TAKE[rule.policy](
            self._state, now, waited_s, expires_s, rule.codel_target_s, rule.codel_interval_s
        )
        return dropped


def drop(pipeline: Pipeline, queue: Queue, job: Job, *, worker: str, number: int) -> None:
    """Take a job that nobody has begun out of RQ's hands, as cancelling it would, and say so.

    Args:
        pipeline: a transaction; the caller sends it.
        queue: the job's queue.
        job: popped by this worker and not registered yet.
        worker: the worker's name.
        number: the worker's number in the record.
    """
    keep_s = job.failure_ttl or DEFAULT_RESULT_TTL
    pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
    job.set_status(JobStatus.CANCELED, pipeline=pipeline)
    pipeline.expire(job.key, keep_s)
    registry = queue.canceled_job_registry
    registry.add(job, keep_s, pipeline=pipeline)
    pipeline.zremrangebyscore(registry.key, "-inf", f"({int(time.time())}")  # RQ's maintenance never tidies this one
    announce_dropped(pipeline, queue.name, job.id, worker=worker, number=number)
