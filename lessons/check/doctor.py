"""Is everything here that the workbook needs, and how is what is missing mended?"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import psutil

from demo_workers.errors import LabError, RabbitMQUnavailable
from demo_workers.records.directory import runs_directory
from demo_workers.services.servers.rabbitmq_server import find_program
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

NEEDED_MB = 200
OURS = ("demo_workers.brokers", "demo_workers.queueing", "demo_workers.services")
"""Where the programs of our child processes are."""


class Check(msgspec.Struct, frozen=True):
    """One finding. ``ok`` is None for something optional that is not there; ``remedy`` is "" when nothing is to do."""

    name: str
    ok: bool | None
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: "–"}[self.ok]
        return f"{mark} {self.name}: {self.found}" + (f" → {self.remedy}" if self.remedy else "")


async def examine() -> list[Check]:
    """Look at everything; takes about a second, since it starts and stops the Redis server."""
    checks = [_python(), _widgets(), await _redis(), _loopback(), _disk(), _leftovers()]
    return [*checks, _rabbitmq(), _docker()]


def _python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    ok = sys.version_info >= (3, 11)
    return Check("Python", ok, found, "" if ok else "Install Python 3.11 or newer, then run make setup again.")


def _widgets() -> Check:
    try:
        names = ("jupyterlab", "ipykernel", "ipywidgets", "anywidget")
        found = ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError as error:
        return Check("Widgets", False, str(error), "Run make setup.")
    extensions = Path(sys.prefix, "share", "jupyter", "labextensions")
    if not (extensions / "@jupyter-widgets" / "jupyterlab-manager").exists():
        return Check("Widgets", False, f"{found}, but no browser part in {extensions}", "Run make setup.")
    return Check("Widgets", True, found)


async def _redis() -> Check:
    runtime = make_runtime_directory()
    server = RedisServer(runtime)
    try:
        await server.start()
        return Check("Redis", True, server.name)
    except LabError as error:
        return Check("Redis", False, "no server answers", str(error))
    finally:
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)


def _loopback() -> Check:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return Check("Loopback", True, "a port on 127.0.0.1 can be opened")
    except OSError as error:
        return Check("Loopback", False, str(error), "Allow local connections in your firewall.")


def _disk() -> Check:
    places = {"runs": runs_directory(), "temporary files": Path(tempfile.gettempdir())}
    free = {name: shutil.disk_usage(_existing(path)).free / 1e6 for name, path in places.items()}
    ok = min(free.values()) >= NEEDED_MB
    found = ", ".join(f"{mb:,.0f} MB free for {name}" for name, mb in free.items())
    return Check("Disk", ok, found, "" if ok else f"Free some space: {NEEDED_MB} MB are needed.")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _leftovers() -> Check:
    """Processes of a stack whose owner has gone; the leash should have ended them."""
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if _ours(p.info["cmdline"] or []) and _orphan(p)]
    if not left:
        return Check("Leftover processes", True, "none")
    pids = " ".join(map(str, left))
    return Check("Leftover processes", False, f"{len(left)} without an owner", f"End them: kill {pids}")


def _ours(command: list[str]) -> bool:
    return any(part.startswith(OURS) for part in command)


def _orphan(process: psutil.Process) -> bool:
    """Whether it is this user's and was adopted: by process 1, or on a desktop by the user's own systemd."""
    try:
        parent = process.parent()
        adopted = parent is None or parent.name() == "systemd" or (parent.pid == 1 and not _owner(parent))
        return adopted and process.uids().real == os.getuid()
    except psutil.Error:
        return False


def _owner(process: psutil.Process) -> bool:
    """Whether it is a ``workbook`` command, which in a container may well be process 1."""
    return any("workbook" in part or part == "lessons.cli" for part in process.cmdline())


def _rabbitmq() -> Check:
    try:
        return Check("RabbitMQ", True, find_program())
    except RabbitMQUnavailable:
        use = "Without it chapter 01 shows a recorded run instead"
        return Check(
            "RabbitMQ", None, f"not here. {use}", "To have it: apt install rabbitmq-server, or brew, or conda."
        )


def _docker() -> Check:
    path = shutil.which("docker")
    return Check("Docker", True, path) if path else Check("Docker", None, "not here. Only docker-compose.yml uses it.")
