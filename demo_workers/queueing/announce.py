"""Workers announce on a Redis stream what they start and finish; the gateway listens.

The times are those of the function itself, not of RQ's bookkeeping around it.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import redis

MAX_ENTRIES = 100_000
MAX_RESULT = 1 << 16


@dataclass(frozen=True)
class Announcement:
    """``kind`` is ``started`` or ``finished``; ``t_monotonic`` is CLOCK_MONOTONIC on the host named by ``boot``.

    ``result`` is the JSON text of what the function returned, or of its error's type and text when not ``ok``.
    ``stream_ms`` is the Redis server's clock (milliseconds) when it arrived there.
    """

    kind: str
    job_id: str
    worker: str
    number: int
    t_monotonic: float
    boot: str
    ok: bool
    result: str
    stream_ms: int


@cache
def boot_id() -> str:
    """Names this machine since its last start: only there are two CLOCK_MONOTONIC readings comparable."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{platform.node()}-{psutil.boot_time():.0f}"


def stream_key(queue: str) -> str:
    """The stream of a queue's announcements."""
    return f"{queue}:announce"


class Announcer:
    """One worker's voice.

    Args:
        connection: where the stream is.
        queue: the RQ queue's name.
        worker: the worker's name.
        number: the worker's number in the record.
    """

    def __init__(self, connection: redis.Redis, queue: str, worker: str, number: int) -> None:
        self._redis, self._key = connection, stream_key(queue)
        self._who = {"worker": worker, "n": number, "boot": boot_id()}

    def started(self, job_id: str) -> None:
        """Say that a job's function is about to run."""
        self._add({"k": "s", "job": job_id, "t": repr(time.monotonic()), **self._who})

    def finished(self, job_id: str, *, ok: bool, result: Any) -> None:
        """Say that it has returned, or raised."""
        t = repr(time.monotonic())
        self._add({"k": "f", "job": job_id, "t": t, "ok": int(ok), "result": _bounded(result), **self._who})

    def _add(self, fields: Mapping[str, Any]) -> None:
        self._redis.xadd(self._key, {**fields}, maxlen=MAX_ENTRIES, approximate=True)


def _bounded(result: Any) -> str:
    try:
        text = json.dumps(result)
    except (TypeError, ValueError):
        text = json.dumps(repr(result)[:1000])
    return text if len(text) <= MAX_RESULT else json.dumps(f"a result of {len(text)} characters; ask GET /jobs/{{id}}")


def decode(entry: tuple[bytes, Mapping[bytes, bytes]]) -> Announcement:
    """An announcement from an entry of the stream."""
    entry_id, fields = entry
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return Announcement(
        kind="started" if text["k"] == "s" else "finished",
        job_id=text["job"],
        worker=text["worker"],
        number=int(text["n"]),
        t_monotonic=float(text["t"]),
        boot=text["boot"],
        ok=text.get("ok") == "1",
        result=text.get("result", ""),
        stream_ms=int(entry_id.split(b"-")[0]),
    )
