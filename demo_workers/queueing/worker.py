"""A real RQ worker, one per process, that says when a job's function starts and ends.

``python -m demo_workers.queueing.worker`` takes its configuration from standard input and ends when that ends.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus

from demo_workers.errors import LabError
from demo_workers.queueing import tasks  # noqa: F401  # so that no job's time holds the import of its function
from demo_workers.queueing.announce import announce_finished, announce_started
from demo_workers.queueing.connection import connect
from demo_workers.services import control

TIMINGS: Mapping[str, Mapping[str, Any]] = {
    # RQ's own crash detection in a hurry; an idle worker looks up every second (worker_ttl less fifteen)
    "classroom": {"worker_ttl": 16, "job_monitoring_interval": 1, "maintenance_interval": 1},
    # as RQ comes: worker_ttl 420 s, heartbeat 30 s, maintenance every 600 s
    "default": {},
}
CLASSROOM_SPARE_S = 3
RQ_SPARE_S = 60
"""What SimpleWorker adds to a job's timeout. Source: rq 3.0, SimpleWorker.get_heartbeat_ttl."""
IDLE_S = 1
"""The longest that an idle worker waits before it notices that it has been told to leave."""
SAME_SIGNAL_S = 1.0
"""A signal that comes again within this was sent to the whole process group, and not by an impatient person."""


class AnnouncedJob(Job):
    """A job whose function's start and end are announced.

    Both announcements travel with commands that RQ sends anyway: two round trips of their own would add a sixth to
    what RQ costs per job.

    Attributes:
        number: of the worker whose jobs these are; ``work`` sets it.
    """

    number = -1
    _end: Mapping[str, Any] | None = None
    _told = False

    def prepare_for_execution(self, worker_name: str, pipeline: Pipeline) -> None:
        """The last that RQ sends before it calls ``perform``."""
        super().prepare_for_execution(worker_name, pipeline)
        announce_started(pipeline, self.origin, self.id, worker=worker_name, number=self.number)

    def perform(self) -> Any:
        """Run the function and note when and how it ended, also when it raises."""
        try:
            result = super().perform()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            self._end = {"t_monotonic": time.monotonic(), "ok": False, "result": text}
            raise
        self._end = {"t_monotonic": time.monotonic(), "ok": True, "result": result}
        return result

    def announce_end(self, pipeline: Pipeline) -> None:
        """Say so, once: when RQ cannot put a success away it comes here again for the failure."""
        if not self._told:
            end = self._end or {"ok": False, "result": "it was ended before its function began"}
            worker = self.worker_name or ""
            announce_finished(pipeline, self.origin, self.id, worker=worker, number=self.number, **end)
            self._told = True


class ClassroomWorker(SimpleWorker):
    """RQ's SimpleWorker, which tells when it is ready, never leaves a job behind, and is soon missed when it dies.

    Attributes:
        hurried: whether the others take it for dead sooner than RQ would.
        ready: called once, when it is about to wait for its first job.
    """

    hurried = True
    ready: Callable[[], None] | None = None
    _leave_since: float | None = None

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """How long the others wait before they take this worker for dead (seconds).

        A SimpleWorker sends no heartbeat while it is at a job, so this must outlast the job's own timeout: with three
        seconds the others would declare a job of four abandoned, free its slot and fail it while it runs.
        """
        ttl = super().get_heartbeat_ttl(job, working_time)
        return ttl - RQ_SPARE_S + CLASSROOM_SPARE_S if self.hurried and job.timeout not in (None, -1) else ttl

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """The first that RQ does after the function; the announcement goes with its heartbeat."""
        job.ended_at = now()
        with self.connection.pipeline(transaction=False) as pipeline:
            job.heartbeat(now(), heartbeat_ttl, pipeline=pipeline)
            if isinstance(job, AnnouncedJob):
                job.announce_end(pipeline)
            pipeline.execute()

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job; None ends the worker."""
        if self.ready is not None:
            self.ready()
            self.ready = None
        if timeout is None or max_idle_time is not None:
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        while self._leave_since is None:
            found = super().dequeue_job_and_maintain_ttl(timeout, IDLE_S)
            if found is not None:
                return found
        return None

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT: leave once no job is in hand.

        RQ's own handler raises where it stands unless the job is registered; one that was popped a moment before
        would then be in nobody's hands.
        """
        if self._leave_since is None:
            self._leave_since = time.monotonic()
            if self.get_state() == WorkerStatus.SUSPENDED:
                raise StopRequested  # `rq suspend`: it holds no job, and would not look for one for a long time
        elif time.monotonic() - self._leave_since > SAME_SIGNAL_S:
            raise SystemExit  # asked twice: the job in hand fails


CLASSES: Mapping[str, type[ClassroomWorker]] = {"simple": ClassroomWorker}
"""The value of ``class`` in the configuration."""


def work(
    address: Mapping[str, str],
    queue: str,
    number: int,
    kind: str = "simple",
    timings: str = "classroom",
    ready: Callable[[str], None] | None = None,
) -> None:
    """Work until told to stop.

    Args:
        address: the Redis server.
        queue: name of the RQ queue.
        number: the worker's number in the record; its name is ``{queue}-w{number}``.
        kind: one of ``CLASSES``.
        timings: one of ``TIMINGS``.
        ready: called with the worker's name when it is registered and about to wait for its first job.

    Raises:
        LabError: no such class or timings.
    """
    _check("class", kind, CLASSES)
    _check("timings", timings, TIMINGS)
    logging.getLogger("rq").setLevel(logging.WARNING)
    name = f"{queue}-w{number}"
    worker = CLASSES[kind](
        [queue],
        name=name,
        connection=connect(address),
        job_class=type("Job", (AnnouncedJob,), {"number": number}),
        serializer=JSONSerializer,
        log_job_description=False,
        **TIMINGS[timings],
    )
    worker.hurried = timings == "classroom"
    if ready is not None:
        worker.ready = lambda: ready(name)
    worker.work(logging_level="WARNING")


def join(address: Mapping[str, str], queue: str) -> None:
    """Work for a system that somebody else has started, until Ctrl-C or SIGTERM."""

    def greet(name: str) -> None:
        print(f"{name} is listening; Ctrl-C ends it after its current job", flush=True)

    work(address, queue, 1000 + secrets.randbelow(2**30), ready=greet)


def main() -> None:
    """Take the configuration from standard input; its end is this process's end."""
    config = control.read_config()
    control.watch_stdin()
    work(
        config["address"],
        config["queue"],
        config["number"],
        config.get("class", "simple"),
        config.get("timings", "classroom"),
        ready=lambda name: control.emit("ready", pid=os.getpid(), worker=name),
    )


def _check(name: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        raise LabError(f"worker.{name} = {value!r}: must be one of {', '.join(known)}. Use one of these.")


if __name__ == "__main__":
    main()
