"""RQ's two workers for our queue: one that does its jobs itself, and one that forks a work horse for each.

Both tell when they are ready and when a job's function starts and ends, drop what is not worth doing, never leave a
job behind, and are soon missed when they die.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from redis.client import Pipeline
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.utils import now
from rq.worker import BaseWorker, WorkerStatus

from demo_workers.queueing.announced_job import AnnouncedJob
from demo_workers.queueing.horse_leash import HorseLeash
from demo_workers.queueing.taking import Taking, drop, take_key

CLASSROOM_SPARE_S = 3
RQ_SPARE_S = 60
"""What RQ adds to the time after which a job counts as abandoned. Source: rq 3.0, ``get_heartbeat_ttl``."""
IDLE_S = 1
"""The longest that an idle worker waits before it notices that it has been told to leave."""
SAME_SIGNAL_S = 1.0
"""A signal that comes again within this was sent to the whole process group, and not by an impatient person."""
TOLD = "announced"
"""Field of an execution's hash: its end was announced."""
HORSE_DIED = "WorkHorseDied: the process that was at this job has died"


class ClassroomWorker(BaseWorker):
    """What both have in common.

    Attributes:
        hurried: whether the others take it for dead sooner than RQ would.
        ready: called once, when it is about to wait for its first job.
        horse_died: called when a work horse was killed at its job.
    """

    hurried = True
    ready: Callable[[], None] | None = None
    horse_died: Callable[[], None] | None = None
    _leave_since: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taking = Taking()
        self._take_key = take_key(self.queues[0].name)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """How long the others wait before they take this worker for dead (seconds).

        A SimpleWorker sends no heartbeat while it is at a job, so this must outlast the job's own timeout: with three
        seconds the others would declare a job of four abandoned, free its slot and fail it while it runs. A worker
        that forks sends one every second.
        """
        ttl = super().get_heartbeat_ttl(job, working_time)
        if not self.hurried or job.timeout in (None, -1):
            return ttl
        return max(ttl - RQ_SPARE_S, 0) + CLASSROOM_SPARE_S

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that it lives, as RQ does between jobs, and learn with the same round trip which jobs are worth doing.

        RQ sends the three commands of a heartbeat one by one; the last one comes right after a job was popped.
        """
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        with self.connection.pipeline(transaction=False) as one_trip:
            super().heartbeat(timeout, one_trip)
            one_trip.get(self._take_key)
            self._taking.learn(one_trip.execute()[-1])

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """The first that RQ does after the function; the announcement goes with its heartbeat."""
        job.ended_at = now()
        with self.connection.pipeline(transaction=self.is_horse) as pipeline:
            job.heartbeat(now(), heartbeat_ttl, pipeline=pipeline)
            if isinstance(job, AnnouncedJob):
                job.announce_end(pipeline, self.name)
            if self.is_horse and self.execution is not None:
                # in one step with the announcement: if this process is killed now, its worker must not say it again
                pipeline.hset(self.execution.key, TOLD, 1)
            pipeline.execute()

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: Any = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """A job has failed; if whoever was at it could not say so any more, this worker does."""
        if isinstance(job, AnnouncedJob) and not job.told and not self.is_horse:
            with self.connection.pipeline(transaction=True) as pipeline:
                # a horse that died early has left it there, where RQ would find it after a minute
                pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
                if not self.horse_told(execution):
                    job.announce_end(pipeline, self.name, otherwise=HORSE_DIED)
                pipeline.execute()
        super().handle_job_failure(job, queue, started_job_registry, exc_string, execution)

    def horse_told(self, execution: Execution | None) -> bool:
        """Whether a work horse that has died had announced the end of its job before."""
        return False

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job that is worth doing; None ends the worker."""
        if self.ready is not None:
            self.ready()
            self.ready = None
        waits_for_ever = timeout is not None and max_idle_time is None
        while self._leave_since is None:
            found = super().dequeue_job_and_maintain_ttl(timeout, IDLE_S if waits_for_ever else max_idle_time)
            if found is None and not waits_for_ever:
                return None
            if found is not None and not self._dropped(*found):
                return found
        return None

    def _dropped(self, job: Job, queue: Queue) -> bool:
        if not self._taking.drops(job):
            return False
        number = job.number if isinstance(job, AnnouncedJob) else -1
        with self.connection.pipeline(transaction=True) as pipeline:
            drop(pipeline, queue, job, worker=self.name, number=number)
            pipeline.execute()
        return True

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
            self.leave_job()  # asked twice: the job in hand fails

    def leave_job(self) -> None:
        """End the job in hand now."""
        raise SystemExit


class OwnHandsWorker(ClassroomWorker, SimpleWorker):
    """Does its jobs in its own process."""


class ForkingWorker(ClassroomWorker, Worker):
    """Forks a work horse for each job, which does it and ends: nothing that a job leaves behind reaches the next."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leash = HorseLeash()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """The horse's life."""
        self._leash.tie()
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """The horse has ended without putting its job away; RQ fails the job next."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]  # RQ's
        if self.horse_died is not None:
            self.horse_died()

    def horse_told(self, execution: Execution | None) -> bool:
        """Whether a work horse that has died had announced the end of its job before."""
        if execution is None:
            return False
        # what the horse had sent off is done once this is answered, so the look below sees it
        self.connection.ping()
        return bool(self.connection.hget(execution.key, TOLD))

    def leave_job(self) -> None:
        """End the job in hand now: this worker then fails it, as RQ does with the job of any horse that was killed."""
        self.kill_horse()


CLASSES: Mapping[str, type[ClassroomWorker]] = {"simple": OwnHandsWorker, "fork": ForkingWorker}
"""By the names of ``scenario.Service.worker_class``."""
