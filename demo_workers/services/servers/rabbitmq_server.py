"""A private RabbitMQ node, found in this order: AMQP_URL, conda's, Debian's, Homebrew's, ``rabbitmq-server`` on PATH.

It has its own directories, ports, name and cookie, listens on loopback alone, and its user has a random password that
is in no command line. A service of the system is never touched, nor is a node that is not ours.

Erlang's nodes find each other through a daemon, epmd, which the first node starts and leaves behind. Here it is started
first, in the foreground, on a port of ours; nodes are told to start none.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import platformdirs

from demo_workers.errors import LabError, RabbitMQUnavailable
from demo_workers.services.children.child import LOG_TAIL, LOOK_S, REAP_S, Child
from demo_workers.services.children.leash import MARKER
from demo_workers.services.children.leashed import kill_group, leash_of

URL = "AMQP_URL"
HOST = "127.0.0.1"
USER = "workbook"
GREETING = b"AMQP\x00\x00\x09\x01"
"""A client's first bytes. Source: AMQP 0-9-1, 4.2.2."""
FLUSH_BYTES = 1 << 24
"""Of the log of quorum queues, which otherwise grows to half a gigabyte before it starts anew."""
START_S = 60.0
GREETING_S = 5.0
REMEDY = (
    "One of these is enough: apt install rabbitmq-server, brew install rabbitmq, conda install -c conda-forge "
    f"rabbitmq-server; or set {URL}=amqp://user:password@host:5672/%2F to a node that runs."
)


PLACES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
)
"""Where Debian and Homebrew put the script itself."""


def find_program(environ: Mapping[str, str] = os.environ, *, places: Sequence[str] = PLACES) -> str:
    """The server's own start script; Debian's wrapper on PATH would change the user.

    Raises:
        RabbitMQUnavailable: there is none; the message says how to get it.
    """
    conda = environ.get("CONDA_PREFIX", "")
    of_conda = [f"{conda}/bin/rabbitmq-server", f"{conda}/sbin/rabbitmq-server"] if conda else []
    for place in [*of_conda, *places, shutil.which("rabbitmq-server", path=environ.get("PATH", "")) or ""]:
        if os.access(place, os.X_OK) and os.path.isfile(place):
            return place
    raise RabbitMQUnavailable(f"no RabbitMQ was found: {URL} is not set, and no rabbitmq-server is here. {REMEDY}")


class Ports(NamedTuple):
    """What a node listens on: for clients, for other nodes, and where it asks for those."""

    amqp: int
    nodes: int
    epmd: int


class RabbitMQServer:
    """A RabbitMQ node.

    Args:
        runtime: a directory made by ``make_runtime_directory``. ``stop()`` removes it, and so do the leashes when the
            owner dies.
        environ: where ``AMQP_URL``, ``CONDA_PREFIX`` and ``PATH`` are looked up.
        on_exit: called once on the loop when a node of ours ends without having been asked.

    Attributes:
        address: what the broker takes: ``{"url": ...}``.
        ours: whether this object started the node, and may therefore kill it.
        name: version and origin of the node, for people.
        pid: process id of a node of ours that lives.
        data: where a node of ours keeps its files.
    """

    def __init__(
        self,
        runtime: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        on_exit: Callable[[], None] | None = None,
    ) -> None:
        self._runtime, self._environ, self._on_exit = runtime, environ, on_exit
        self.data = Path(platformdirs.user_cache_dir("asynchronism-workbook")) / f"{runtime.name}-rabbitmq"
        self.address: dict[str, str] = {}
        self.ours = False
        self.name = ""
        self.pid: int | None = None
        self._program = ""
        self._log = runtime / "rabbitmq.log"
        self._ports = Ports(0, 0, 0)
        self._leashes: dict[str, Child] = {}
        self._up = self._gone = False

    async def start(self, timeout_s: float = START_S) -> None:
        """Find or start the node; returns when it speaks AMQP, after three to eight seconds.

        After ``kill()`` it starts the node again on what is on disk. RabbitMQ writes the name of a new quorum queue
        down half a second late: one that is younger than that when the node is killed has no leader afterwards.

        Raises:
            RabbitMQUnavailable: there is none, it has ended, or it does not speak in time; nothing is left then.
        """
        if self._up:
            raise LabError(f"{self.name}: is running. Stop or kill it before it is started again.")
        try:
            if url := self._environ.get(URL):
                self.address = {"url": url}
            else:
                await self._start_ours()
            await self._wait_for_greeting(timeout_s)
            self._up = True
        except BaseException:
            await self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL the node, as the kernel would when memory is short; its files stay for the next ``start()``.

        Raises:
            LabError: it is not ours.
        """
        if not self.ours:
            raise LabError(f"node to kill = {self.name or 'none'}: must be one that the workbook started. Unset {URL}.")
        self._up = False  # asked for
        if self.pid is not None:
            kill_group(self.pid)

    async def stop(self) -> None:
        """End a node of ours and remove its directories; may be called twice and from any state."""
        self._up = False
        for leash in reversed(self._leashes.values()):
            await leash.stop()
        self._leashes, self.pid = {}, None
        for directory in (self._runtime, self.data):
            if (directory / MARKER).is_file():
                shutil.rmtree(directory, ignore_errors=True)  # the leash was killed before it could

    async def _start_ours(self) -> None:
        if not self._leashes:
            self._program = await asyncio.to_thread(find_program, self._environ)
            await self._prepare()
        async with asyncio.timeout(REAP_S):
            while self.pid is not None:
                await asyncio.sleep(LOOK_S)  # one that was killed is still dying
        self._gone = False
        pid = await self._run("the RabbitMQ node", [self._program], self._log)
        if not self._gone:  # its end may have been heard in the same breath as its start
            self.pid = pid

    async def _prepare(self) -> None:
        """What is made once: directories, secrets, ports, leashes, and epmd."""
        password = secrets.token_urlsafe(24)
        self._ports = await asyncio.to_thread(_free_ports)
        for what, on_end in (("epmd", lambda: None), ("the RabbitMQ node", self._node_gone)):
            log, directories = self._runtime / "leash.log", (self._runtime, self.data)
            self._leashes[what] = leash_of(what, log, directories, on_end=on_end, on_exit=self._leash_gone)
            await _refused_as_unavailable(self._leashes[what].start())
        await asyncio.to_thread(self._write_files, password)
        self.address = {"url": f"amqp://{USER}:{password}@{HOST}:{self._ports.amqp}/%2F"}
        self.ours, self.name = True, f"RabbitMQ ({self._program})"
        epmd = shutil.which("epmd", path=self._path)
        if epmd is None:
            raise RabbitMQUnavailable(f"epmd, a part of Erlang, is not on PATH = {self._path}. {REMEDY}")
        command = [epmd, "-address", HOST, "-port", str(self._ports.epmd)]
        await self._run("epmd", command, self._runtime / "epmd.log")

    async def _run(self, what: str, argv: list[str], log: Path) -> int:
        order = self._leashes[what].call("run", argv=argv, log=str(log), env=self._environment())
        return int((await _refused_as_unavailable(order))["pid"])

    def _write_files(self, password: str) -> None:
        home = self._runtime / "home"
        home.mkdir(mode=0o700)
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.data / MARKER).write_text(f"{os.getpid()}\n")  # it may be removed
        files = {
            home / ".erlang.cookie": secrets.token_urlsafe(24),
            self._runtime / "rabbitmq.conf": _config(password, self._ports.amqp),
            self._runtime / "plugins": "[].\n",
            self._runtime / "env.conf": "",
        }
        for path, text in files.items():
            path.write_text(text)
            path.chmod(0o600)

    @property
    def _path(self) -> str:
        """Where the script finds Erlang: beside itself, where the reader's shell does, and where systems put it."""
        places = [os.path.dirname(self._program), self._environ.get("PATH", ""), "/usr/sbin:/usr/bin:/sbin:/bin"]
        return os.pathsep.join(filter(None, [*places, "/opt/homebrew/bin", "/usr/local/bin"]))

    def _environment(self) -> dict[str, str]:
        """All that the node gets to know: nothing of the reader's, no secret, no file of the system's."""
        home = {"HOME": str(self._runtime / "home"), "PATH": self._path, "LANG": "C.UTF-8"}
        erlang = {
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self._ports.epmd),
            "ERL_AFLAGS": "-start_epmd false",  # also for the little nodes that the node starts to have an epmd started
            "ERL_CRASH_DUMP_BYTES": "0",
        }
        node = {
            "NODENAME": f"wb{self._ports.amqp}@localhost",
            "NODE_IP_ADDRESS": HOST,
            "NODE_PORT": str(self._ports.amqp),
            "DIST_PORT": str(self._ports.nodes),
            "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "MNESIA_BASE": str(self.data),
            "FEATURE_FLAGS_FILE": str(self.data / "feature_flags"),
            "LOG_BASE": str(self._runtime),
            "LOGS": "-",
            "PID_FILE": str(self._runtime / "rabbitmq.pid"),
            "CONFIG_FILE": str(self._runtime / "rabbitmq.conf"),
            "CONF_ENV_FILE": str(self._runtime / "env.conf"),
            "ENABLED_PLUGINS_FILE": str(self._runtime / "plugins"),
        }
        # as under systemd: the start script becomes the node instead of waiting beside it
        script = {"RUNNING_UNDER_SYSTEMD": "true"}
        return home | erlang | script | {f"RABBITMQ_{name}": value for name, value in node.items()}

    def _leash_gone(self) -> None:
        if self.pid is not None:
            self.kill()  # Linux has done it already
        self._node_gone()

    def _node_gone(self) -> None:
        self.pid, self._gone = None, True
        up, self._up = self._up, False
        if up and self._on_exit is not None:
            self._on_exit()

    async def _wait_for_greeting(self, timeout_s: float) -> None:
        last: Exception | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while not self.ours or self.pid is not None:
                    try:
                        version = await _greeted(self.address["url"])
                        self.name = f"RabbitMQ {version} ({self._program or URL})"
                        return
                    except (OSError, EOFError) as error:
                        last = error
                    await asyncio.sleep(LOOK_S * 10)
        except TimeoutError:
            pass
        except ValueError:  # whose text may hold a piece of the password
            last = ValueError("not of the form amqp://user:password@host:5672/%2F")
        raise RabbitMQUnavailable(self._no_answer(timeout_s, last))

    def _no_answer(self, timeout_s: float, last: Exception | None) -> str:
        if not self.ours:
            return f"{URL}: the node there must speak AMQP within {timeout_s:g} s ({last}). Start it, or unset {URL}."
        how = "did not speak AMQP" if self.pid is not None else "ended before it spoke AMQP"
        try:
            tail = self._log.read_text(errors="replace")[-LOG_TAIL:].strip()
        except OSError:
            tail = ""
        return f"{self.name} {how} within {timeout_s:g} s ({last}). Its log:\n{tail}"


async def _refused_as_unavailable(asked: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await asked
    except LabError as error:
        raise RabbitMQUnavailable(str(error)) from error


async def _greeted(url: str) -> str:
    """The version with which a node answers a client's first bytes; it opens its port last of all."""
    parts = urlsplit(url)
    encrypted = parts.scheme == "amqps"
    port = parts.port or (5671 if encrypted else 5672)
    async with asyncio.timeout(GREETING_S):
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=encrypted or None)
        try:
            writer.write(GREETING)
            header = await reader.readexactly(7)
            told = await reader.readexactly(int.from_bytes(header[3:7]))
        finally:
            writer.close()
    # in a table of properties: a name, the letter S, a length of four bytes, the text
    found = re.search(rb"versionS\0\0\0.([0-9][0-9.]*)", told, re.DOTALL)
    return found[1].decode() if found else "of unknown version"


def _config(password: str, port: int) -> str:
    lines = (
        f"listeners.tcp.1 = {HOST}:{port}",
        f"default_user = {USER}",
        f"default_pass = {password}",
        f"raft.wal_max_size_bytes = {FLUSH_BYTES}",
    )
    return "\n".join(lines) + "\n"


def _free_ports() -> Ports:
    """Ports that nobody listens on at this moment."""
    sockets = [socket.create_server((HOST, 0)) for _ in Ports._fields]
    try:
        return Ports(*(one.getsockname()[1] for one in sockets))
    finally:
        for one in sockets:
            one.close()
