"""The tasks that may be asked for, by name, and what their arguments must look like.

Functions live here, or in a module beside this one, so that any RQ worker can import them; arguments are JSON, checked
at the gateway's door.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import Annotated, Any, Literal

import msgspec
import redis
from msgspec import Meta
from rq import get_current_job

from demo_workers.errors import LabError
from demo_workers.queueing.charges import ChargeArgs
from demo_workers.queueing.reports import ReportArgs
from demo_workers.scenario import MAX_SERVICE_S

SPARE_TIMEOUT_S = 30
"""A job may take this much longer than it says before RQ ends it; RQ counts whole seconds."""
CPU_SHARE = 0.1
"""Least share of a core that a job which burns processor time may count on beside other workers."""
WRITE_S = 0.01
"""The longest that one write to a timeline takes, its added pause left out; mostly it is a tenth of a millisecond."""

TIMELINE_LENGTH = 50
TIMELINE_LIVES_S = 600
PROGRESS_EVERY = 50


class UnknownTask(LabError):
    """No task has this name."""


class WorkArgs(msgspec.Struct, forbid_unknown_fields=True):
    """``service_time_s``: how long the work takes; ``kind``: asleep, or burning processor time."""

    service_time_s: Annotated[float, Meta(ge=0, le=MAX_SERVICE_S)]
    kind: Literal["sleep", "cpu"] = "sleep"

    def longest_s(self) -> float:
        """Seconds after which something must be wrong with it."""
        return self.service_time_s / (CPU_SHARE if self.kind == "cpu" else 1)


class FanOutArgs(msgspec.Struct, forbid_unknown_fields=True):
    """``write_ms``: an added pause per follower, as if the timelines were in another building."""

    post: Annotated[str, Meta(min_length=1, max_length=280)]
    author: Annotated[str, Meta(min_length=1, max_length=40)]
    followers: Annotated[int, Meta(ge=1, le=5000)]
    write_ms: Annotated[float, Meta(ge=0, le=20)] = 2.0

    def longest_s(self) -> float:
        """Seconds after which something must be wrong with it."""
        return self.followers * (self.write_ms / 1000 + WRITE_S)


class Task(msgspec.Struct, frozen=True):
    """``path`` is what RQ imports, ``args`` the type its arguments must fit."""

    path: str
    args: type[WorkArgs] | type[FanOutArgs] | type[ReportArgs] | type[ChargeArgs]

    def timeout_s(self, args: Mapping[str, Any]) -> int:
        """Whole seconds after which RQ may end a job with these arguments."""
        return ceil(self.args(**args).longest_s()) + SPARE_TIMEOUT_S


TASKS: Mapping[str, Task] = {
    "work": Task("demo_workers.queueing.tasks.work", WorkArgs),
    "fan_out": Task("demo_workers.queueing.tasks.fan_out", FanOutArgs),
    "report": Task("demo_workers.queueing.reports.report", ReportArgs),
    "charge": Task("demo_workers.queueing.charges.charge", ChargeArgs),
}


def decode_args(task: str, raw: bytes | msgspec.Raw | Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain values, defaults filled in.

    Raises:
        UnknownTask: no task has this name.
        msgspec.ValidationError: the arguments do not fit the task.
        msgspec.DecodeError: they are not JSON.
    """
    if task not in TASKS:
        raise UnknownTask(f"task = {task[:60]!r}: must be one of {', '.join(TASKS)}. Check the spelling.")
    kind = TASKS[task].args
    if isinstance(raw, Mapping):
        return dict(msgspec.to_builtins(msgspec.convert(raw, kind)))
    return dict(msgspec.to_builtins(msgspec.json.decode(raw, type=kind)))


def work(service_time_s: float, kind: str = "sleep") -> None:
    """Sleep, or burn processor time, for ``service_time_s`` seconds."""
    if kind == "sleep":
        time.sleep(service_time_s)
        return
    end = time.thread_time() + service_time_s
    while time.thread_time() < end:
        pass


def fan_out(post: str, author: str, followers: int, write_ms: float = 2.0) -> dict[str, Any]:
    """Put a post on every follower's timeline; the job's meta says how far it is."""
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Elsewhere call fan_out_into.")

    def tell(done: int) -> None:
        job.meta.update(done=done, total=followers)
        job.save_meta()  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    return fan_out_into(job.connection, job.origin, post, author, followers, write_ms / 1000, tell)


def fan_out_into(
    connection: redis.Redis,
    prefix: str,
    post: str,
    author: str,
    followers: int,
    write_s: float,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """The same for whoever has a Redis connection, for example a web handler that does the work itself.

    Args:
        connection: where the timelines are.
        prefix: their keys are ``{prefix}:timeline:{n}``.
        post: the text.
        author: who wrote it.
        followers: how many timelines.
        write_s: added pause per write (seconds).
        progress: called with the number done, every fifty writes and at the end.
    """
    start = time.monotonic()
    entry = f"{author}: {post}"
    for follower in range(followers):
        key = f"{prefix}:timeline:{follower}"
        pipe = connection.pipeline(transaction=False)
        pipe.lpush(key, entry)
        pipe.ltrim(key, 0, TIMELINE_LENGTH - 1)
        pipe.expire(key, TIMELINE_LIVES_S)
        pipe.execute()
        time.sleep(write_s)
        if progress is not None and ((follower + 1) % PROGRESS_EVERY == 0 or follower + 1 == followers):
            progress(follower + 1)
    return {"followers": followers, "seconds": time.monotonic() - start}
