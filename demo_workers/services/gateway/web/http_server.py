"""The listening side: a unix socket that only its owner can open, or loopback TCP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from email.utils import formatdate
from pathlib import Path
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from demo_workers.errors import GatewayUnavailable
from demo_workers.services.gateway.web.http_protocol import MAX_CONNECTIONS, BoundedProtocol

IDLE_S = 75
"""How long a connection may wait for its next request. Longer than most pauses of a load client."""

BACKLOG = 2048
CLOSE_S = 0.4
"""Answers that are on their way at the end have this long to leave."""


def unix_socket(path: Path) -> socket.socket:
    """A unix socket, mode 0600 from its first moment.

    Raises:
        GatewayUnavailable: the path is taken or cannot be written.
    """
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        server.bind(str(path))
    except OSError as error:
        server.close()
        raise GatewayUnavailable(f"uds = {str(path)!r}: cannot listen there ({error}). Choose a fresh path.") from error
    finally:
        os.umask(mask)
    return server


def tcp_socket(host: str, port: int) -> socket.socket:
    """A TCP socket; port 0 takes a free one.

    Raises:
        GatewayUnavailable: the port is taken or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise GatewayUnavailable(f"tcp = {host}:{port}: cannot listen there ({error}). Use port 0.") from error
    return server


class HttpServer:
    """Serves an ASGI app on a socket.

    Args:
        app: the raw ASGI application.
        listening: a bound socket; closed, and its path removed, by ``stop()``.
    """

    def __init__(self, app: Any, listening: socket.socket) -> None:
        self._socket = listening
        self._name = listening.getsockname()
        self._config = Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_S,
        )
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens: ``http://host:port`` or ``unix:/path``."""
        if isinstance(self._name, str):
            return f"unix:{self._name}"
        host, port = self._name[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Listen."""
        _allow_open_files(MAX_CONNECTIONS + 512)
        self._config.load()
        loop = asyncio.get_running_loop()
        self._ticking = asyncio.create_task(self._tick())
        self._server = await loop.create_server(self._connection, sock=self._socket, backlog=BACKLOG)

    async def stop(self) -> None:
        """Stop listening, let answers that are due leave, close every connection. May be called twice."""
        self.unlink()
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections():
            connection.shutdown()
        deadline = asyncio.get_running_loop().time() + CLOSE_S
        while self._state.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.005)
        for connection in self._connections():
            connection.transport.abort()
        if self._ticking is not None:
            self._ticking.cancel()

    def unlink(self) -> None:
        """Remove the unix socket's path."""
        if isinstance(self._name, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name)

    def _connection(self) -> BoundedProtocol:
        return BoundedProtocol(self._config, self._state, {}, asyncio.get_running_loop())

    def _connections(self) -> list[BoundedProtocol]:
        return cast("list[BoundedProtocol]", list(self._state.connections))

    async def _tick(self) -> None:
        """Once a second: the Date header, and a look for requests that do not arrive."""
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            now = asyncio.get_running_loop().time()
            for connection in self._connections():
                connection.check_time(now)
            await asyncio.sleep(1.0)


def _allow_open_files(wanted: int) -> None:
    """Raise this process's own limit: the usual 1,024 is less than the connections we mean to keep."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
