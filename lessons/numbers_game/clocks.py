"""Section a's stop watches: seven things that a program waits for, each timed on this machine."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs
import redis

from demo_workers.errors import LabError
from demo_workers.queueing.announce import stream_key
from demo_workers.queueing.tasks import TASKS
from lessons import memory_walk
from lessons.numbers_game.lesson import Lesson

NAMES = ("cache", "memory", "system call", "loopback", "Redis", "fsync", "RQ job")

NEAR, FAR = 1 << 14, 1 << 26
"""Bytes: what any processor's first cache holds, and more than most processors' last one does."""

CALLS, BEST_OF = 20_000, 5
ROUNDS = 300
JOBS = 20
SYNCS, SYNC_S = 20, 0.5
"""So many writes are synced, or fewer where the disk takes longer than so many seconds for them."""
PAGE = 4096
WAIT_S = 20
"""After this something must be wrong."""


async def measure(lesson: Lesson) -> dict[str, float]:
    """Time all seven, one after the other, on a thread of their own; some three seconds.

    Returns:
        Seconds by name, in the order of ``NAMES``.

    Raises:
        LabError: no worker has done its job in time.
    """
    await lesson.start()
    print("Timing; a loop for the memory is compiled first.", flush=True)
    return await asyncio.to_thread(_measure, lesson)


def _measure(lesson: Lesson) -> dict[str, float]:
    memory = memory_walk.step_ns((NEAR, FAR))
    with lesson.queue() as queue:
        found = (
            memory[NEAR] / 1e9,
            memory[FAR] / 1e9,
            system_call_s(),
            loopback_s(),
            redis_s(queue.connection),
            fsync_s(),
            job_s(lesson),
        )
    return dict(zip(NAMES, found, strict=True))


def system_call_s() -> float:
    """One question to the operating system: ``getppid``, less a call that stays in the interpreter."""
    asked, empty = (min(_calls_s(call) for _ in range(BEST_OF)) for call in (os.getppid, threading.get_ident))
    return max(asked - empty, 1e-9) / CALLS


def _calls_s(call: Callable[[], int]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return time.perf_counter() - began


def loopback_s() -> float:
    """One byte to another thread over TCP on this machine, and back."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        _echo(listening),
        socket.create_connection(listening.getsockname(), timeout=WAIT_S) as line,
    ):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> None:
            line.sendall(b"?")
            line.recv(1)

        return _median_s(ask, ROUNDS)


@contextmanager
def _echo(listening: socket.socket) -> Iterator[None]:
    """Somebody who sends back whatever one caller says, until that one hangs up."""

    def answer() -> None:
        line, _ = listening.accept()
        with line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while said := line.recv(1):
                line.sendall(said)

    thread = threading.Thread(target=answer, name="echo", daemon=True)
    thread.start()
    yield
    thread.join(WAIT_S)


def redis_s(connection: redis.Redis) -> float:
    """A PING, its answer, and what the Python client makes of both."""
    return _median_s(connection.ping, ROUNDS)


def fsync_s() -> float:
    """A page of a file written, and on the disk for good as far as the operating system knows."""
    directory = Path(platformdirs.user_cache_dir("asynchronism-workbook"))
    directory.mkdir(parents=True, exist_ok=True)
    page = np.random.default_rng(3).bytes(PAGE)
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:

        def store() -> None:
            file.write(page)
            os.fsync(file.fileno())

        return _median_s(store, SYNCS, SYNC_S)


def job_s(lesson: Lesson) -> float:
    """An RQ job that does nothing: from ``enqueue`` until its result is here.

    Raises:
        LabError: no worker has done it in time.
    """
    with lesson.queue() as queue:

        def order() -> None:
            job = queue.enqueue(TASKS["work"].path, 0.0, result_ttl=WAIT_S)
            if job.latest_result(timeout=WAIT_S) is None:
                raise LabError(f"an empty job = no result: must have one within {WAIT_S} s. Run the first cell again.")
            job.delete()

        try:
            return _median_s(order, JOBS)
        finally:
            queue.connection.delete(stream_key(queue.name))  # the workers announce each job, and nobody listens


def _median_s(act: Callable[[], object], times: int, most_s: float = WAIT_S) -> float:
    """The median of so many, after one that does not count; fewer where they take too long."""
    act()
    found, end = list[float](), time.perf_counter() + most_s
    while len(found) < times and (not found or time.perf_counter() < end):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return float(np.median(found))
