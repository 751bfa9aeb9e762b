"""A real RQ worker, one per process, that says when a job's function starts and ends.

``python -m demo_workers.queueing.worker`` takes its configuration from standard input and ends when that ends.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from typing import Any

from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from demo_workers.queueing.announce import Announcer
from demo_workers.queueing.connection import connect
from demo_workers.services import control

TIMINGS: Mapping[str, Mapping[str, Any]] = {
    # a dead worker is noticed by RQ itself within seconds; an idle one looks up every second
    "classroom": {"worker_ttl": 16, "job_monitoring_interval": 1, "maintenance_interval": 2},
    # as RQ comes: worker_ttl 420 s, heartbeat 30 s, maintenance every 600 s
    "default": {},
}
CLASSROOM_SPARE_S = 3


class AnnouncedJob(Job):
    """A job whose function's start and end are announced."""

    announcer: Announcer

    def perform(self) -> Any:
        """Run the function between two announcements; the second is sent also when it raises."""
        self.announcer.started(self.id)
        try:
            result = super().perform()
        except BaseException as error:
            self.announcer.finished(self.id, ok=False, result=f"{type(error).__name__}: {error}")
            raise
        self.announcer.finished(self.id, ok=True, result=result)
        return result


class ClassroomWorker(SimpleWorker):
    """RQ's SimpleWorker, in a hurry to notice that another one has died."""

    hurried = True

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """How long the others wait before they take this worker for dead (seconds).

        A SimpleWorker cannot send heartbeats while it is at a job, so this must outlast the job's own timeout.
        """
        ttl = super().get_heartbeat_ttl(job, working_time)
        return ttl - 60 + CLASSROOM_SPARE_S if self.hurried and job.timeout not in (None, -1) else ttl

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Report once registered and listening."""
        super().bootstrap(*args, **kwargs)
        control.emit("ready", pid=os.getpid(), worker=self.name)


class JoinedWorker(ClassroomWorker):
    """A worker somebody started by hand: nobody reads its standard output but people."""

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Say so to a person."""
        SimpleWorker.bootstrap(self, *args, **kwargs)
        print(f"{self.name} is listening; Ctrl-C ends it after its current job", flush=True)


CLASSES: Mapping[str, type[ClassroomWorker]] = {"simple": ClassroomWorker, "joined": JoinedWorker}


def work(address: Mapping[str, str], queue: str, number: int, kind: str = "simple", timings: str = "classroom") -> None:
    """Work until told to stop.

    Args:
        address: the Redis server.
        queue: name of the RQ queue.
        number: the worker's number in the record; its name is ``{queue}-w{number}``.
        kind: one of ``CLASSES``.
        timings: one of ``TIMINGS``.
    """
    logging.getLogger("rq").setLevel(logging.WARNING)
    connection = connect(address)
    name = f"{queue}-w{number}"
    announcer = Announcer(connect(address), queue, name, number)
    job_class = type("Job", (AnnouncedJob,), {"announcer": announcer})
    worker = CLASSES[kind](
        [queue],
        name=name,
        connection=connection,
        job_class=job_class,
        serializer=JSONSerializer,
        log_job_description=False,
        **TIMINGS[timings],
    )
    worker.hurried = timings == "classroom"
    worker.work(logging_level="WARNING")


def join(address: Mapping[str, str], queue: str) -> None:
    """Work for a system that somebody else has started, until Ctrl-C or SIGTERM."""
    work(address, queue, 1000 + secrets.randbelow(2**30), kind="joined")


def main() -> None:
    """Take the configuration from standard input; its end is this process's end."""
    config = control.read_config()
    control.watch_stdin()
    work(config["address"], config["queue"], config["number"], config.get("class", "simple"), config["timings"])


if __name__ == "__main__":
    main()
