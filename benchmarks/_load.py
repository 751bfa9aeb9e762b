"""A driver that is cheaper than what it drives: raw sockets, ready-made requests, one at a time on each connection."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, cast

import psutil

CONNECTIONS = 16


class Flow(NamedTuple):
    """What a server did: answers by status, requests per second, and per second of its own processor time."""

    statuses: Counter[int]
    per_second: float
    per_cpu_second: float


async def drive(uds: str, pid: int, requests: list[bytes]) -> Flow:
    """Send all requests, each connection the next one as soon as it has its answer.

    Args:
        uds: the server's socket.
        pid: its process.
        requests: their bytes.
    """
    loop = asyncio.get_running_loop()
    waiting, statuses = iter(requests), Counter[int]()
    lines = [(await loop.create_unix_connection(lambda: _Line(waiting, statuses), uds))[1] for _ in range(CONNECTIONS)]
    server = psutil.Process(pid)
    before, began = server.cpu_times(), time.perf_counter()
    for line in lines:
        line.next()
    await asyncio.gather(*(line.done for line in lines))
    took, after = time.perf_counter() - began, server.cpu_times()
    for line in lines:
        line.transport.close()
    # clocks of processes tick a hundred times a second
    busy = max(after.user + after.system - before.user - before.system, 0.01)
    return Flow(statuses, len(requests) / took, len(requests) / busy)


class _Line(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, waiting: Iterator[bytes], statuses: Counter[int]) -> None:
        self._waiting, self._statuses = waiting, statuses
        self._data = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self.done.set_result(None)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data = data = self._data + data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            return
        at = data.find(b"content-length: ", 0, head) + len(b"content-length: ")
        if len(data) >= head + 4 + int(data[at : data.find(b"\r", at)]):
            self._data = b""
            self._statuses[int(data[9:12])] += 1
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server hung up"))
