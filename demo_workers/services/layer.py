"""One server in a chain: whoever asks it makes it ask the next one, and it tries again when that fails.

``python -m demo_workers.services.layer``: configured and commanded over its pipes. The last of a chain has nobody to
ask, and is down: it answers 503 to everybody. Each layer counts for itself how often it was asked. Real HTTP over unix
sockets, in the standard library's own server: it is here to be asked some dozens of times, not to be fast.
"""

from __future__ import annotations

import asyncio
import os
import socket
import socketserver
import sys
import threading
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from demo_workers.services.children import control

OK, DOWN = 200, 503
PATIENCE_S = 20.0
MOST_TRIES = 10


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """Where to listen (a path), and which socket to ask; "" is nobody: this is the last one, and it is down."""

    uds: str
    asks: str = ""


class Tries(msgspec.Struct, forbid_unknown_fields=True):
    """How often the next one is asked before this one gives up: the first try and the retries."""

    tries: Annotated[int, Meta(ge=1, le=MOST_TRIES)]


def ask(uds: str) -> int:
    """The status that a server answers a GET with; ``DOWN`` where it cannot be reached.

    Args:
        uds: its socket.
    """
    connection = HTTPConnection("chain", timeout=PATIENCE_S)
    # HTTPConnection would look up a host; a connected socket is all that it needs
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.sock.settimeout(PATIENCE_S)
        connection.sock.connect(uds)
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return DOWN
    finally:
        connection.close()


class Layer(socketserver.ThreadingUnixStreamServer):
    """Listens, counts, and asks the next one.

    Args:
        config: as the owner sent it.
    """

    daemon_threads = True

    def __init__(self, config: Config) -> None:
        mask = os.umask(0o177)  # the socket is for its owner alone, from its first moment
        try:
            super().__init__(config.uds, _Handler)
        finally:
            os.umask(mask)
        self._asks = config.asks
        self._tries = 1
        self._asked = 0
        self._lock = threading.Lock()

    def answer(self) -> int:
        """Be asked once: count it, and ask the next one until it answers or the tries are used up."""
        with self._lock:
            self._asked += 1
            tries = self._tries if self._asks else 0
        return next((OK for _ in range(tries) if ask(self._asks) == OK), DOWN)

    def begin(self, tries: int) -> dict[str, Any]:
        """Count from 0, and try so often from now on."""
        tries = msgspec.convert({"tries": tries}, Tries).tries
        with self._lock:
            self._tries, self._asked = tries, 0
        return {}

    def count(self) -> dict[str, Any]:
        """How often it was asked since ``begin``."""
        with self._lock:
            return {"asked": self._asked}


class _Handler(BaseHTTPRequestHandler):
    """One request on a connection of its own."""

    server: Layer

    def do_GET(self) -> None:
        """Ask onwards; the answer is the status alone."""
        self.send_response(self.server.answer())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the count is the log."""


async def _serve(layer: Layer) -> None:
    threading.Thread(target=layer.serve_forever, name="http", daemon=True).start()
    control.emit("ready")
    await control.serve({"begin": layer.begin, "count": layer.count})


def main() -> None:
    """Read the configuration and serve until the owner has gone."""
    try:
        layer = Layer(msgspec.convert(control.read_config(), Config))
    except (OSError, msgspec.ValidationError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    asyncio.run(_serve(layer))


if __name__ == "__main__":
    main()
