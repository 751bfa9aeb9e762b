"""The gateway process: ``python -m demo_workers.services.gateway``, configured and commanded over its pipes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import msgspec
import uvloop
from msgspec import Meta
from redis.exceptions import RedisError

from demo_workers.errors import LabError, RedisUnavailable
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.scenario import Scenario
from demo_workers.services.children import control, time_limit
from demo_workers.services.gateway.app import App
from demo_workers.services.gateway.following import Follower
from demo_workers.services.gateway.inline import SWITCH_S, Inline
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.unannounced import Unannounced
from demo_workers.services.gateway.verbs import Verbs
from demo_workers.services.gateway.web.http_server import HttpServer, tcp_socket, unix_socket

LEAVE_S = 0.8
"""However things stand, the process is gone after this."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Tcp(msgspec.Struct, forbid_unknown_fields=True):
    """A TCP address; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The first line on standard input. Exactly one of ``uds`` and ``tcp`` says where to listen.

    ``sync_threads`` do the work of ``POST /sync``; a stream without news says so every ``heartbeat_s`` seconds.
    """

    address: dict[str, str]
    queue: str
    uds: str | None = None
    tcp: Tcp | None = None
    admission: dict[str, Any] = {}
    result_ttl_s: int = 60
    sync_threads: Annotated[int, Meta(ge=1, le=256)] = 8
    heartbeat_s: Annotated[float, Meta(gt=0, le=60)] = 15.0


class Process:
    """All the parts, started and ended in order.

    Raises:
        ScenarioError: a rule of the door is out of bounds.
    """

    def __init__(self, config: Config) -> None:
        # a command whose reply was lost is not sent twice from here: the client hears 503 and may ask again
        self._connection = connect_async(config.address, retries=0)
        self._listener = connect_async(config.address, retries=0)
        self._state = State(
            self._connection,
            config.queue,
            Scenario.from_dict({"admission": config.admission}).admission,
            result_ttl_s=config.result_ttl_s,
        )
        self._follower = Follower(self._listener, config.queue, self._state.heard, self._redis_lost)
        self._unannounced = Unannounced(self._state, self._follower.catch_up)
        self._verbs = Verbs(self._state, self._follower, lambda why: control.emit("record_lost", error=why))
        self._listening = _listen(config)
        # no timeline is written twice because a reply was lost
        self._inline = Inline(connect(config.address, retries=0), config.queue, config.sync_threads)
        app = App(self._state, self._inline, _hosts(self._listening), heartbeat_s=config.heartbeat_s)
        self._server = HttpServer(app, self._listening)
        self._tasks: list[asyncio.Task[Any]] = []
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> None:
        """Serve until the owner goes or a signal comes; does not return.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        loop = self._loop = asyncio.get_running_loop()
        try:
            following = await self._follower.start()
            await self._state.tell_workers()
        except (RedisError, OSError) as error:
            raise RedisUnavailable(f"the gateway cannot reach Redis: {error}. Start a server first.") from error
        await self._server.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        self._spawn(control.serve(self._verbs.table(), self._owner_gone))
        self._spawn(self._unannounced.watch())
        control.emit("ready", url=self._server.url)
        # it ends only by a mistake of ours; then the owner must notice
        await following

    def _redis_lost(self) -> None:
        self._state.redis_lost()
        control.emit("redis_lost")

    def _owner_gone(self) -> None:
        """Called by the control thread; the process ends when it returns."""
        self._loop.call_soon_threadsafe(self._leave)
        threading.Event().wait(LEAVE_S)

    def _leave(self) -> None:
        if not self._state.closing:
            self._state.close()
            self._inline.close()
            self._loop.call_later(LEAVE_S, os._exit, 0)
            self._spawn(self._close())

    async def _close(self) -> None:
        await self._server.stop()
        if self._state.run.record is not None:
            self._state.run.record.close()
        # the interpreter's own way out would cancel tasks and wait for the thread that reads standard input
        os._exit(0)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(self._loop.create_task(work))


def _listen(config: Config) -> socket.socket:
    if config.uds is not None:
        return unix_socket(Path(config.uds))
    tcp = config.tcp or Tcp()
    return tcp_socket(tcp.host, tcp.port)


def _hosts(listening: socket.socket) -> frozenset[bytes] | None:
    """The names under which loopback TCP is reached; None where any name will do."""
    name = listening.getsockname()
    if isinstance(name, str) or name[0] not in _LOOPBACK:
        return None
    return frozenset(f"{host}:{name[1]}".encode() for host in ("127.0.0.1", "localhost", "[::1]"))


def main() -> None:
    """Read the configuration and serve; what a person can mend is one line on standard error."""
    try:
        time_limit.arm()
        sys.setswitchinterval(SWITCH_S)
        process = Process(msgspec.convert(control.read_config(), Config))
        uvloop.run(process.run())
    except (LabError, msgspec.ValidationError) as error:
        print(error, file=sys.stderr)
        os._exit(1)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        os._exit(1)


if __name__ == "__main__":
    main()
