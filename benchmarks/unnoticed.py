"""How long does a dead worker stay unnoticed by RQ as it comes?

``python -m benchmarks.unnoticed`` starts pairs of stock ``rq worker``, gives each pair one job, kills the worker that
took it together with its work horse, as if its machine had lost power, and waits until the other one declares the job
abandoned. All pairs run side by side and nearly everything is waiting: a quarter of an hour. Notebook 02 shows the
recording that ``--record FILE.toml`` writes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import tomli_w
from rq import Queue
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from benchmarks._bar import Figure, main, say
from demo_workers.queueing.connection import connect
from demo_workers.services.servers.redis_server import URL, RedisServer, make_runtime_directory
from lessons.check.bars import machine
from lessons.task_queues.defaults import LATEST_S

JOB_S = 170
"""Just under RQ's default time-out: nothing but its worker's death ends it."""

LOOK_S = 0.5
SMALL_JOBS_EVERY_S = 5.0
LONGEST_S = 1200.0
READY_S = 60.0


class Pair(NamedTuple):
    """Two workers of one queue.

    Attributes:
        kill_s: when the one at the job dies, seconds after both were there.
        busy: whether the other one has small jobs to do meanwhile.
    """

    kill_s: float
    busy: bool


PAIRS = (Pair(20, False), Pair(200, False), Pair(500, False), Pair(20, True), Pair(300, True))


class Noticed(NamedTuple):
    """What came of a pair: ``after_s`` is from the death to RQ's word for it."""

    pair: Pair
    after_s: float
    said: str


class Watch:
    """One pair under watch.

    Args:
        pair: what to do to it.
        name: of its queue.
        address: of the Redis server.
    """

    def __init__(self, pair: Pair, name: str, address: dict[str, str]) -> None:
        self._pair, self._connection = pair, connect(address)
        self._queue = Queue(name, connection=self._connection, serializer=JSONSerializer)
        url = f"unix://:{address['password']}@{address['unix_socket_path']}"
        self._environment = {**os.environ, "RQ_REDIS_URL": url}
        self._workers: list[subprocess.Popen[bytes]] = []

    async def run(self) -> Noticed:
        """Start two workers, kill one at its job, wait for the other to notice."""
        for _ in range(2):
            self._workers.append(self._stock_worker())
        await self._until(lambda: self._workers_known() == 2, READY_S)
        ready = time.monotonic()
        await self._pass_time(ready + self._pair.kill_s - 10)
        job = self._queue.enqueue("demo_workers.queueing.tasks.work", JOB_S)
        await self._until(lambda: job.get_status() == JobStatus.STARTED, READY_S)
        await asyncio.sleep(max(0.0, ready + self._pair.kill_s - time.monotonic()))
        job.refresh()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        self._kill(str(job.worker_name))
        died = time.monotonic()
        say(f"{self._queue.name}: killed {died - ready:.1f} s after both were there")
        while job.get_status() == JobStatus.STARTED and time.monotonic() < died + LONGEST_S:
            await self._pass_time(time.monotonic() + LOOK_S)
        after_s = time.monotonic() - died
        result = job.latest_result()
        said = "" if result is None else str(result.exc_string)
        say(f"{self._queue.name}: {job.get_status()} after {after_s:.1f} s: {said}")
        return Noticed(self._pair, after_s, said)

    def end(self) -> None:
        """Leave no process."""
        for worker in self._workers:
            _kill_tree(worker.pid)
            worker.wait()
        self._connection.close()

    def _stock_worker(self) -> subprocess.Popen[bytes]:
        rq = str(Path(sys.executable).with_name("rq"))
        command = [rq, "worker", "--serializer", "rq.serializers.JSONSerializer", "--quiet", self._queue.name]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _workers_known(self) -> int:
        known: Any = self._connection.scard(f"rq:workers:{self._queue.name}")
        return int(known)

    def _kill(self, name: str) -> None:
        pid: Any = self._connection.hget(f"rq:worker:{name}", "pid")
        _kill_tree(int(pid))

    async def _pass_time(self, until: float) -> None:
        """Wait; a busy pair gets a small job every few seconds."""
        while (left := until - time.monotonic()) > 0:
            if self._pair.busy and not self._queue.count:
                last: Any = self._connection.get(f"{self._queue.name}:small") or b"0"
                if time.time() - float(last) > SMALL_JOBS_EVERY_S:
                    self._queue.enqueue("demo_workers.queueing.tasks.work", 0.01)
                    self._connection.set(f"{self._queue.name}:small", time.time())
            await asyncio.sleep(min(left, LOOK_S))

    async def _until(self, holds: Any, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._queue.name}: waited for {limit_s:g} s")
            await asyncio.sleep(0.1)


def _kill_tree(pid: int) -> None:
    """SIGKILL a process and its children; a parent that is killed can fork no more, so it goes first."""
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for one in [process, *children]:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue


def recording(found: Sequence[Noticed], server: str) -> dict[str, Any]:
    """What the notebook shows, with the conditions."""
    return {
        "command": "python -m benchmarks.unnoticed --record FILE.toml",
        "recorded": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "server": server,
        "rq": version("rq"),
        "runs": [
            {
                "killed_after_s": one.pair.kill_s,
                "other_is_busy": one.pair.busy,
                "noticed_after_s": round(one.after_s, 1),
                "said": one.said.split(", at ")[0],
            }
            for one in found
        ],
    }


async def measure(options: argparse.Namespace) -> list[Figure]:
    """All pairs side by side."""
    runtime = make_runtime_directory()
    server = RedisServer(runtime, environ={name: value for name, value in os.environ.items() if name != URL})
    watches: list[Watch] = []
    try:
        await server.start()
        watches = [Watch(pair, f"pair-{n}", dict(server.address)) for n, pair in enumerate(PAIRS)]
        found = await asyncio.gather(*(watch.run() for watch in watches))
        if options.record is not None:
            options.record.write_bytes(tomli_w.dumps(recording(found, server.name)).encode())
    finally:
        for watch in watches:
            watch.end()
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)
    against = f"at most {LATEST_S} s by RQ's constants"
    return [Figure.of("a dead worker unnoticed", [one.after_s for one in found], against=against, unit="s")]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--record", type=Path, help="write the recording that notebook 02 shows")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=add_options))
