"""What does the gateway cost per request?

``python -m benchmarks.gateway`` compares two paths with peers on the same HTTP server (uvicorn with httptools) and the
same kind of socket. Letting a job in, on record and by the exact limit, against a FastAPI handler that calls
``Queue.enqueue`` and keeps neither. Saying 503 at the limit, on record, against a handler that does nothing.
What counts is requests per second of the server's own processor time: the driver and Redis share the cores.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import time
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

import uvloop

from benchmarks._bar import Figure, Unavailable, main, say
from benchmarks._load import Flow, drive
from demo_workers.errors import LabError
from demo_workers.queueing.connection import connect_async
from demo_workers.services.children.child import Child
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

ADMITTED, REFUSED = 3.0, 0.6
"""The bars."""

BODY = b'{"task":"work","args":{"service_time_s":0.05,"kind":"sleep"}}'
HEAD = (
    b"POST /jobs HTTP/1.1\r\nHost: workbook\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Workbook-Client: %d\r\nWorkbook-Attempt: %d.1\r\n\r\n%b"
)


class Bench:
    """Redis, the gateway and its peers, each a process of its own."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self.redis = RedisServer(runtime, environ={})
        self.queue = f"wb-{secrets.token_hex(4)}"
        self.children: dict[str, Child] = {}

    async def start(self, stack: AsyncExitStack) -> None:
        """Start all; the stack ends them."""
        await self.redis.start()
        stack.push_async_callback(self.redis.stop)
        self.connection = connect_async(self.redis.address)
        stack.push_async_callback(self.connection.aclose)
        for name in ("gateway", "fastapi", "empty"):
            module = "demo_workers.services.gateway" if name == "gateway" else "benchmarks._peer"
            place = {"address": self.redis.address, "queue": self.queue, "uds": self._socket(name)}
            config = place | ({} if name == "gateway" else {"kind": name})
            self.children[name] = Child(name, module, config, self._runtime / f"{name}.log")
            stack.push_async_callback(self.children[name].stop)
            await self.children[name].start()

    async def begin(self, limit: int | None) -> None:
        """An empty Redis, and a new run on record."""
        await self.connection.flushall()
        events = self._runtime / "gateway.events"
        events.unlink(missing_ok=True)
        rules = {"limit": limit}
        run, origin = secrets.token_hex(4), time.monotonic()
        await self.children["gateway"].call("begin", run=run, origin=origin, events=str(events), admission=rules)

    async def drive(self, name: str, requests: int) -> Flow:
        """A load on one of them."""
        pid = self.children[name].pid
        assert pid is not None
        numbered = [HEAD % (len(BODY), n % 100, n, BODY) for n in range(requests)]
        return await drive(self._socket(name), pid, numbered)

    def _socket(self, name: str) -> str:
        return str(self._runtime / f"{name}.sock")


async def admitting(bench: Bench, name: str, requests: int) -> Flow:
    """Every request is let in."""
    await bench.begin(None)
    flow = await bench.drive(name, requests)
    _expect(flow, 202)
    return flow


async def refusing(bench: Bench, name: str, requests: int) -> Flow:
    """Every request but the first finds the queue full; the empty handler answers as it always does."""
    await bench.begin(1)
    await bench.drive("gateway", 1)
    flow = await bench.drive(name, requests)
    _expect(flow, 503 if name == "gateway" else 200)
    return flow


def _expect(flow: Flow, status: int) -> None:
    # request 0 is a duplicate of the one that filled the queue, when the script is asked about it
    wrong = flow.statuses.total() - flow.statuses[status]
    if wrong > 1:
        raise LabError(f"statuses = {dict(flow.statuses)}: must be {status} but for one. Look at the servers' logs.")


def measure(options: argparse.Namespace) -> list[Figure]:
    """Both paths, in turns."""
    if find_spec("fastapi") is None:
        raise Unavailable("fastapi is not installed. Install requirements-bench.lock, as `make bench` does.")
    return uvloop.run(_measure(options))


async def _measure(options: argparse.Namespace) -> list[Figure]:
    runtime = make_runtime_directory()
    paths = [
        ("admitting", admitting, "fastapi", options.requests),
        ("refusing", refusing, "empty", 4 * options.requests),
    ]
    cpu: dict[str, list[float]] = {name: [] for name, *_ in paths}
    wall: dict[str, list[float]] = {name: [] for name, *_ in paths}
    try:
        async with AsyncExitStack() as stack:
            bench = Bench(runtime)
            await bench.start(stack)
            for n in range(options.rounds + 1):
                for name, path, peer, requests in paths:
                    order = ["gateway", peer] if n % 2 else [peer, "gateway"]
                    flows = {one: await path(bench, one, requests) for one in order}
                    ours, theirs = flows["gateway"], flows[peer]
                    say(f"{name}: {ours.per_cpu_second:,.0f} against {theirs.per_cpu_second:,.0f} per processor second")
                    if n:  # the first round warms up
                        cpu[name].append(ours.per_cpu_second / theirs.per_cpu_second)
                        wall[name].append(ours.per_second / theirs.per_second)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    enqueue, nothing = "FastAPI and Queue.enqueue, same server", "an empty handler, same server"
    return [
        Figure.of("admissions per processor second", cpu["admitting"], against=enqueue, at_least=ADMITTED),
        Figure.of("admissions per second", wall["admitting"], against=enqueue),
        Figure.of("refusals per processor second", cpu["refusing"], against=nothing, at_least=REFUSED),
        Figure.of("refusals per second", wall["refusing"], against=nothing),
    ]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=5000, help="per round; four times as many of the refused")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=_options))
