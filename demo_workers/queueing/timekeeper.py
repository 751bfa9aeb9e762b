"""RQ's two ways of doing things later, each in a process of its own that ends with its owner.

``python -m demo_workers.queueing.timekeeper`` takes its configuration from standard input. ``delayed`` is RQ's
``RQScheduler``, which puts jobs into the queue when their time has come; ``periodic`` is its ``CronScheduler``, which
enqueues the same job again and again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import redis
from rq import Queue
from rq.cron import CronJob, CronScheduler
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from demo_workers.errors import LabError
from demo_workers.queueing import letters
from demo_workers.queueing.connection import connect
from demo_workers.services.children import control

KEEP_S = 600
"""How long a job keeps others of its name away."""


class PeriodicJob(CronJob):
    """A job for workers that read JSON; RQ's own always writes pickle.

    Attributes:
        once: whether the job's id is made of the task and the period, so that nobody can enqueue it a second time.
    """

    once = False

    def enqueue(self, connection: redis.Redis) -> Job:
        """Put it into the queue, unless ``once`` and it has been there in this period."""
        queue = Queue(self.queue_name, connection=connection, serializer=JSONSerializer)
        assert self.func is not None
        call: dict[str, Any] = {"kwargs": self.kwargs, "result_ttl": KEEP_S}
        if not self.once:
            return queue.enqueue(self.func, **call)
        assert self.interval is not None
        job_id = f"{queue.name}-{int(time.time() // self.interval)}"
        try:
            return queue.enqueue(self.func, job_id=job_id, unique=True, **call)
        except DuplicateJobError:
            return queue.create_job(self.func, job_id=job_id, **call)  # another scheduler's, which is in already


def delayed(connection: redis.Redis, queue: str) -> None:
    """Look once a second whether a job's time has come, for ever."""
    scheduler = RQScheduler([queue], connection, serializer=JSONSerializer, logging_level=logging.WARNING)
    scheduler.acquire_locks()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
    control.emit("ready")
    scheduler.work()  # type: ignore[no-untyped-call]  # RQ leaves it untyped


def periodic(connection: redis.Redis, queue: str, interval_s: int, once: bool) -> None:
    """Enqueue a letter at once and then in each interval, for ever."""
    scheduler = CronScheduler(connection, logging_level=logging.WARNING)
    job = PeriodicJob(queue, letters.send, kwargs={"to": "everybody", "text": "the board"}, interval=interval_s)
    job.once = once
    scheduler.get_jobs().append(job)
    control.emit("ready")
    scheduler.start()  # type: ignore[no-untyped-call]  # RQ leaves it untyped


def main() -> None:
    """Take the configuration from standard input; its end is this process's end."""
    config = control.read_config()
    control.watch_stdin()
    _keep(connect(config["address"]), config["queue"], config)


def _keep(connection: redis.Redis, queue: str, config: Mapping[str, Any]) -> None:
    if config["kind"] == "delayed":
        delayed(connection, queue)
    elif config["kind"] == "periodic":
        periodic(connection, queue, config["interval_s"], config["once"])
    else:
        raise LabError(f"timekeeper.kind = {config['kind']!r}: must be delayed or periodic. Use one of these.")


if __name__ == "__main__":
    main()
