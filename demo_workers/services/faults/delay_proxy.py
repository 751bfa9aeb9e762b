"""A slow network, made on purpose: passes bytes on after a while, in order, as many at a time as come.

``python -m demo_workers.services.faults.delay_proxy``: configured and commanded over its pipes; its news ``ready`` has
the address to dial. It stands in front of any server on a unix socket or TCP: the gateway here, a broker elsewhere. The
delay is injected and is nothing the server does; whoever shows it says so.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, cast

import msgspec
import uvloop

from demo_workers.errors import LabError, ScenarioError
from demo_workers.services.children import control
from demo_workers.services.gateway.web.http_server import tcp_socket, unix_socket

LONGEST_S = 30.0
LOOPBACK = "127.0.0.1"
BACKLOG = 2048
MAX_BUFFERED = 1 << 20
"""Bytes under way in one direction of one connection; beyond it the sender is not read, as on a real line."""


class Target(msgspec.Struct, forbid_unknown_fields=True):
    """``uds``, or ``host`` and ``port``."""

    uds: str = ""
    host: str = LOOPBACK
    port: int = 0


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """Where to listen (``uds``, a path, or without one ``port`` of 127.0.0.1, 0 for any free one), where to pass on
    to, and how late each way (seconds).
    """

    target: Target
    uds: str = ""
    port: int = 0
    latency_s: float = 0.0


class Line(asyncio.Protocol):
    """One end of a connection: what it hears, the other end says after the delay."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None
        self.other: Line | None = None
        self._due: deque[tuple[float, bytes]] = deque()
        self._buffered = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ending = self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self._proxy.ends.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes: they leave at the other end later."""
        self._later(data)

    def eof_received(self) -> bool:
        """This end has said all; so it will be said there."""
        self._later(b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """This end has gone: the other goes too, once it has said all."""
        self._proxy.ends.discard(self)
        self._transport, self._gone = None, True
        if self.other is not None:
            self._later(b"")
            self._ending = True

    def pause_writing(self) -> None:
        """This end takes no more: the other is not read either."""
        if self.other is not None and self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """It takes more again."""
        if self.other is not None and self.other._transport is not None:
            self.other._transport.resume_reading()

    @property
    def gone(self) -> bool:
        """Whether this end has closed."""
        return self._gone

    def end(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _later(self, data: bytes) -> None:
        # the loop's own clock counts whole milliseconds, and so would be early
        self._due.append((time.monotonic() + self._proxy.latency_s, data))
        self._buffered += len(data)
        if self._buffered > MAX_BUFFERED and self._transport is not None:
            self._transport.pause_reading()
        if self._timer is None:
            self._look_again()

    def pass_on(self) -> None:
        """Let what is due be said at the other end."""
        self._timer = None
        if self.other is None:
            return  # not yet connected there
        while self._due and self._due[0][0] <= time.monotonic():
            _, data = self._due.popleft()
            self._buffered -= len(data)
            self._say(data)
        if self._buffered <= MAX_BUFFERED and self._transport is not None:
            self._transport.resume_reading()
        if self._due:
            # a delay that was shortened meanwhile must not let later bytes overtake earlier ones
            self._look_again()

    def _look_again(self) -> None:
        wait_s = max(self._due[0][0] - time.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.pass_on)

    def _say(self, data: bytes) -> None:
        other = None if self.other is None else self.other._transport
        if other is None:
            return
        if data:
            other.write(data)
        elif self._ending:
            other.close()
        elif other.can_write_eof():
            other.write_eof()


class Proxy:
    """Listens, dials, and knows the delay.

    Args:
        config: as the owner sent it.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.latency_s = _checked(config.latency_s)
        self.ends: set[Line] = set()
        self._dialling: set[asyncio.Task[None]] = set()

    async def start(self) -> dict[str, Any]:
        """Listen; returns when connections are taken, with the address: ``uds``, or ``host`` and ``port``."""
        config = self._config
        sock = unix_socket(Path(config.uds)) if config.uds else tcp_socket(LOOPBACK, config.port)
        self._server = await asyncio.get_running_loop().create_server(self._caller, sock=sock, backlog=BACKLOG)
        return {"uds": config.uds} if config.uds else {"host": LOOPBACK, "port": sock.getsockname()[1]}

    def delay(self, latency_s: float) -> dict[str, Any]:
        """Change the delay of what comes from now on; what is under way keeps its own."""
        self.latency_s = _checked(latency_s)
        return {}

    def _caller(self) -> Line:
        caller = Line(self)
        task = asyncio.get_running_loop().create_task(self._dial(caller))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return caller

    async def _dial(self, caller: Line) -> None:
        loop, target = asyncio.get_running_loop(), self._config.target
        try:
            if target.uds:
                _, line = await loop.create_unix_connection(lambda: Line(self), target.uds)
            else:
                _, line = await loop.create_connection(lambda: Line(self), target.host, target.port)
        except OSError:
            caller.end()  # as a refused connection would look from here
            return
        caller.other, line.other = line, caller
        if caller.gone:
            line.end()
        caller.pass_on()  # what was said before the other end was there


def _checked(latency_s: float) -> float:
    if not 0 <= latency_s <= LONGEST_S:
        raise ScenarioError("latency_s", latency_s, f"between 0 and {LONGEST_S:g}", "Choose a smaller delay.")
    return latency_s


async def _serve(config: Config) -> None:
    proxy = Proxy(config)
    control.emit("ready", **await proxy.start())
    await control.serve({"delay": proxy.delay})


def main() -> None:
    """Read the configuration and serve until the owner has gone."""
    try:
        uvloop.run(_serve(msgspec.convert(control.read_config(), Config)))
    except (LabError, msgspec.ValidationError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
