"""Pulls the plug on a Redis server of ours, without a plug.

The server is stopped; of each of its files only what the kernel has written to the disk is copied; then the server is
killed. A server started on the copy (``RedisServer(restore=...)``) finds what one would find after the power came back.
Where the kernel does not say what is on disk, a model stands in for it, and the answer says so.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs
import psutil

from demo_workers.errors import LabError, RedisUnavailable, ScenarioError
from demo_workers.services.faults import written_back
from demo_workers.services.servers.persistence import Persistence
from demo_workers.services.servers.redis_server import RedisServer

Method = Literal["cachestat", "timestamps", "nothing"]

STOP_S = 5.0
"""The longest that a server takes to stand still: a write to a slow disk ends first."""
TRIES = 50
KERNEL_FLUSH_S = 30.0
"""When the kernel writes a page back that nobody has asked it to. Source: Linux, vm.dirty_expire_centisecs."""
EVERYSEC_S = 1.0
"""When Redis asks for it with ``appendfsync everysec``."""

_TIMESTAMP = re.compile(rb"(?:\A|\r\n)(?=#TS:(\d+)\r\n)")
"""Redis 7 and later note the second in their log, with ``aof-timestamp-enabled yes``."""


@dataclass(frozen=True, kw_only=True)
class Survived:
    """What a power cut left.

    Attributes:
        persistence: the server's setting.
        method: how it was found: ``cachestat`` asked the kernel which pages are on disk (exact to one page of a
            growing file); ``timestamps`` is a model: the log up to the second that was certainly written;
            ``nothing``: the server keeps nothing.
        written: bytes that the server had written to its files.
        bytes: those of them that are on disk.
    """

    persistence: Persistence
    method: Method
    written: int = 0
    bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the steering log."""
        return asdict(self)


async def cut_power(server: RedisServer, into: Path, *, method: Method | None = None) -> Survived:
    """Cut the power of a server of ours; its client connections break, and its ``on_exit`` is called.

    Args:
        server: one that is running.
        into: a new or empty directory for what is on disk.
        method: how to find out; the best that this machine can unless given.

    Raises:
        LabError: the server is not ours, or it did not stand still in time; it is killed all the same.
        RedisUnavailable: it is not running.
        ScenarioError: ``into`` has something in it.
    """
    server.check_ours("cut the power of")
    if server.pid is None:
        raise RedisUnavailable(f"{server.name} must be running to cut its power, but has ended. Start another one.")
    await asyncio.to_thread(_make_empty, into)
    try:
        return await asyncio.to_thread(_cut, server.pid, server.data, server.persistence, into, method)
    finally:
        server.kill()


def on_disk() -> Path:
    """A place for what a power cut leaves, beside the servers' own files: what is only in memory cannot be cut off."""
    path = Path(platformdirs.user_cache_dir("asynchronism-workbook"))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _make_empty(into: Path) -> None:
    if into.exists() and any(into.iterdir()):
        raise ScenarioError("into", str(into), "a new or empty directory", "Choose another one.")
    into.mkdir(parents=True, exist_ok=True, mode=0o700)


def _cut(pid: int, data: Path, persistence: Persistence, into: Path, method: Method | None) -> Survived:
    if persistence == "none":
        return Survived(persistence=persistence, method="nothing")
    if method is None:
        method = "cachestat" if written_back.can_tell(data) else "timestamps"
    _stop_between_writes(pid, data, persistence)
    logs, now = _logs(data), time.time()
    # an unfinished snapshot counts for nothing
    files = [file for file in sorted(data.rglob("*")) if file.is_file() and not file.name.startswith(("temp-", "."))]
    kept = {
        file: written_back.bytes_on_disk(file) if method == "cachestat" else _by_model(file, persistence, logs, now)
        for file in files
    }
    for file, length in kept.items():
        copy = into / file.relative_to(data)
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(file, copy)
        os.truncate(copy, length)
    written = sum(file.stat().st_size for file in files)
    return Survived(persistence=persistence, method=method, written=written, bytes=sum(kept.values()))


def _stop_between_writes(pid: int, data: Path, persistence: Persistence) -> None:
    """Make the server stand still.

    With ``aof_always`` nothing was answered that is not on disk. Should it stand between a write and its ``fsync``,
    whole pages would seem not to be there; it goes on for a moment then, and is stopped again.
    """
    for _ in range(TRIES):
        _stop(pid)
        if persistence != "aof_always" or not written_back.can_tell(data):
            return
        if all(written_back.bytes_on_disk(file) == file.stat().st_size for file in _logs(data)):
            return
        os.killpg(pid, signal.SIGCONT)
        time.sleep(0.001)
    raise LabError(f"server {pid}: must have a moment without unwritten pages in {TRIES} tries. Write less, try again.")


def _stop(pid: int) -> None:
    os.killpg(pid, signal.SIGSTOP)
    deadline = time.monotonic() + STOP_S
    while not _stands_still(pid):
        if time.monotonic() > deadline:
            raise LabError(f"server {pid}: must stand still within {STOP_S:g} s of SIGSTOP. Is its disk stuck?")
        time.sleep(0.001)


def _stands_still(pid: int) -> bool:
    """Whether all its threads have stopped; one that waits for the disk stops when that has answered."""
    if sys.platform != "linux":
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    states = (task.joinpath("stat").read_text().rpartition(")")[2].split()[0] for task in _tasks(pid))
    return all(state in "Tt" for state in states)


def _tasks(pid: int) -> list[Path]:
    return list(Path("/proc", str(pid), "task").iterdir())


def _logs(data: Path) -> list[Path]:
    """The files that every write is appended to; Redis 6 has one, later ones a folder of them."""
    return [*data.glob("appendonly.aof"), *data.glob("appendonlydir/*.incr.aof")]


def _by_model(file: Path, persistence: Persistence, logs: list[Path], now: float) -> int:
    """Bytes of a file that a power cut leaves, as one would expect from the setting alone."""
    size = file.stat().st_size
    # everything but the log is written through before it gets its name
    if persistence in ("rdb", "aof_always") or file not in logs or not size:
        return size
    horizon = now - (EVERYSEC_S if persistence == "aof_everysec" else KERNEL_FLUSH_S)
    marks = [(match.end(), int(match[1])) for match in _TIMESTAMP.finditer(file.read_bytes())]
    if not marks:
        raise LabError(f"{file.name}: must have timestamps to model a power cut. Use Redis 7 or newer, or Valkey.")
    return next((at for at, second in marks if second > horizon), size)
