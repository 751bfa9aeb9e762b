"""A real RQ worker, one per process, that says when a job's function starts and ends.

``python -m demo_workers.queueing.worker`` takes its configuration from standard input and ends when that ends.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from rq.serializers import JSONSerializer

from demo_workers.errors import LabError
from demo_workers.queueing import tasks  # noqa: F401  # so that no job's time holds the import of its function
from demo_workers.queueing.announced_job import AnnouncedJob
from demo_workers.queueing.classes import CLASSES
from demo_workers.queueing.connection import WORKER_RETRIES, connect
from demo_workers.services.children import control

TIMINGS: Mapping[str, Mapping[str, Any]] = {
    # RQ's own crash detection in a hurry; an idle worker looks up every second (worker_ttl less fifteen)
    "classroom": {"worker_ttl": 16, "job_monitoring_interval": 1, "maintenance_interval": 1},
    # as RQ comes: worker_ttl 420 s, heartbeat 30 s, maintenance every 600 s
    "default": {},
}


def work(
    address: Mapping[str, str],
    queue: str,
    number: int,
    kind: str = "simple",
    timings: str = "classroom",
    ready: Callable[[str], None] | None = None,
    horse_died: Callable[[], None] | None = None,
    retries: int = WORKER_RETRIES,
) -> None:
    """Work until told to stop.

    Args:
        address: the Redis server.
        queue: name of the RQ queue.
        number: the worker's number in the record; its name is ``{queue}-w{number}``.
        kind: one of ``CLASSES``.
        timings: one of ``TIMINGS``.
        ready: called with the worker's name when it is registered and about to wait for its first job.
        horse_died: called each time that a work horse was killed at its job.
        retries: how often its client tries a command again after a lost connection.

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
        connection=connect(address, retries=retries),
        job_class=type("Job", (AnnouncedJob,), {"number": number}),
        serializer=JSONSerializer,
        log_job_description=False,
        **TIMINGS[timings],
    )
    worker.hurried = timings == "classroom"
    worker.horse_died = horse_died
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
        horse_died=lambda: control.emit("horse_died"),
        retries=config.get("retries", WORKER_RETRIES),
    )


def _check(name: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        raise LabError(f"worker.{name} = {value!r}: must be one of {', '.join(known)}. Use one of these.")


if __name__ == "__main__":
    main()
