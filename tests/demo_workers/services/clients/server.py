"""A small real HTTP server that behaves as badly as a test wants and keeps its own log of what arrived.

Also runs as a process, for tests that freeze it: ``python server.py SOCKET`` answers 200 to everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One attempt as the server met it; ``t`` is ``time.monotonic()``."""

    t: float
    request: int
    attempt: int
    client: int
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int


Behaviour = Callable[[Arrival, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: Any, *headers: str) -> bytes:
    """A whole HTTP answer; a dict becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(data)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def says(*answers: bytes) -> Behaviour:
    """Attempt n of any request gets answer n, later ones the last."""

    async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(arrival.attempt, len(answers)) - 1])

    return behave


async def silent(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""


FINE = http(200, {"status": "finished"})
fine = says(FINE)


@dataclass
class LabServer:
    """Listens on ``path``, or on a free loopback port where it is None."""

    path: Path | None
    behave: Behaviour = fine
    arrivals: list[Arrival] = field(default_factory=list)
    open_now: int = 0
    connections: int = 0

    async def __aenter__(self) -> LabServer:
        if self.path is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        else:
            self._server = await asyncio.start_unix_server(self._serve, self.path, backlog=1000)
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> dict[str, str | int]:
        """As the clients' configuration has it."""
        if self.path is not None:
            return {"uds": str(self.path)}
        return {"host": "127.0.0.1", "port": self._server.sockets[0].getsockname()[1]}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_now += 1
        number = self.connections
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    arrival = await _read(reader, number)
                    self.arrivals.append(arrival)
                    await self.behave(arrival, writer)
        finally:
            self.open_now -= 1
            self._tasks.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader, connection: int) -> Arrival:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    assert first == "POST /jobs HTTP/1.1", first
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    request, attempt = headers["workbook-attempt"].split(".")
    return Arrival(
        t=time.monotonic(),
        request=int(request),
        attempt=int(attempt),
        client=int(headers["workbook-client"]),
        headers=headers,
        body=body,
        connection=connection,
    )


async def _main(path: Path) -> None:
    async with LabServer(path):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
