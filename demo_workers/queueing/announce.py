"""Workers announce on a Redis stream what they start, finish and drop; the gateway listens.

The times are those of the function itself, not of RQ's bookkeeping around it.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis

MAX_ENTRIES = 5_000
"""What Redis keeps for a gateway that is slow for seconds: at 200 jobs per second some twelve of them."""
MAX_RESULT = 1 << 16
"""Bytes of a result's JSON text."""
_KINDS = {"s": "started", "f": "finished", "d": "dropped"}


@dataclass(frozen=True)
class Announcement:
    """``kind`` is ``started``, ``finished`` or ``dropped``; times are CLOCK_MONOTONIC on the host named by ``boot``.

    Attributes:
        t_monotonic: when the function began or ended; where it never ran, or did not return, when the job left.
        returned: whether the function returned or raised.
        picked_monotonic: when the worker had taken the job from the queue; NaN where nobody has said so.
        result: JSON text of what the function returned, or of its error's type and text when not ``ok``.
        stream_ms: the Redis server's clock (milliseconds) when it arrived there.
    """

    kind: str
    job_id: str
    worker: str
    number: int
    t_monotonic: float
    boot: str
    ok: bool
    result: str
    stream_ms: float
    returned: bool = True
    picked_monotonic: float = math.nan


@cache
def boot_id() -> str:
    """Names this machine since its last start: only there are two CLOCK_MONOTONIC readings comparable."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil  # a tenth of a worker's start, wanted only where there is no /proc

        return f"{platform.node()}-{psutil.boot_time():.0f}"


def stream_key(queue: str) -> str:
    """The stream of a queue's announcements."""
    return f"{queue}:announce"


def announce_started(
    connection: redis.Redis, queue: str, job_id: str, *, worker: str, number: int, picked_monotonic: float = math.nan
) -> None:
    """Say that a job's function is about to run: call this just before it.

    Args:
        connection: where the stream is; a pipeline sends it with its other commands.
        queue: the RQ queue's name.
        job_id: the job.
        worker: the worker's name.
        number: the worker's number in the record.
        picked_monotonic: when the worker had taken the job from the queue (CLOCK_MONOTONIC seconds).
    """
    times = {"t": repr(time.monotonic()), "p": repr(picked_monotonic)}
    _add(connection, queue, {"k": "s", "job": job_id, "worker": worker, "n": number, **times})


def announce_finished(
    connection: redis.Redis,
    queue: str,
    job_id: str,
    *,
    worker: str,
    number: int,
    ok: bool,
    result: Any,
    t_monotonic: float | None = None,
    returned: bool = True,
) -> None:
    """Say that it has returned, or raised: call this just after it.

    Args:
        connection: where the stream is; a pipeline sends it with its other commands.
        queue: the RQ queue's name.
        job_id: the job.
        worker: the worker's name.
        number: the worker's number in the record.
        ok: whether it returned.
        result: what it returned, or its error's type and text. What is no JSON goes as its ``repr``, and of what is
            longer than ``MAX_RESULT`` only the length.
        t_monotonic: when it did (CLOCK_MONOTONIC seconds); now unless given.
        returned: False where it did neither, because its process died or because it never began.
    """
    t = time.monotonic() if t_monotonic is None else t_monotonic
    told: dict[str, Any] = {"ok": int(ok), "result": _bounded(result)} | ({} if returned else {"r": 0})
    _add(connection, queue, {"k": "f", "job": job_id, "worker": worker, "n": number, "t": repr(t), **told})


def announce_dropped(connection: redis.Redis, queue: str, job_id: str, *, worker: str, number: int) -> None:
    """Say that a worker has taken a job and found it not worth doing; arguments as above."""
    t = repr(time.monotonic())
    _add(connection, queue, {"k": "d", "job": job_id, "worker": worker, "n": number, "t": t, "r": 0})


def decode(entry: tuple[bytes, Mapping[bytes, bytes]]) -> Announcement:
    """An announcement from an entry of the stream.

    Raises:
        KeyError, ValueError: the entry is none of ours.
    """
    entry_id, fields = entry
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return Announcement(
        kind=_KINDS[text["k"]],
        job_id=text["job"],
        worker=text["worker"],
        number=int(text["n"]),
        t_monotonic=float(text["t"]),
        boot=text["boot"],
        ok=text.get("ok") == "1",
        result=text.get("result", ""),
        stream_ms=int(entry_id.split(b"-")[0]),
        returned=text.get("r") != "0",
        # workers on other hosts may be of a version that does not say
        picked_monotonic=float(text.get("p", "nan")),
    )


def _add(connection: redis.Redis, queue: str, fields: dict[Any, Any]) -> None:
    fields["boot"] = boot_id()
    connection.xadd(stream_key(queue), fields, maxlen=MAX_ENTRIES, approximate=True)


def _bounded(result: Any) -> str:
    try:
        text = json.dumps(result, allow_nan=False)  # NaN is no JSON, and the gateway passes the text on as it is
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(repr(result)[:1000])
    # json.dumps writes ASCII, so these are bytes too
    return text if len(text) <= MAX_RESULT else json.dumps(f"a result of {len(text)} characters; ask GET /jobs/{{id}}")
