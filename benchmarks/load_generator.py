"""Does the load generator cost less than Locust, and is it as punctual as a bare timer?

Both send the same POST to the same server that does nothing, 2,000 a second if they can. What counts is processor time
(user and system) of the generating process per completed request. Then, at 500 a second, how late the attempts leave
(99th percentile), against a loop timer that has nothing else to do and keeps the same times beside it. Each round
measures everybody once, in turning order.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks._bar import Figure, Unavailable, main, say
from benchmarks._bare_timer import load
from demo_workers.services.children.child import Child

RATE = 2000.0
PUNCTUAL_RATE = 500.0
WARM_S = 1.0
TRIVIAL_SERVER = "benchmarks._trivial_server"


class Locusts(msgspec.Struct):
    """What one Locust process says of itself."""

    completed: int
    failed: int
    cpu_s: float


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """The server that does nothing, as a process of its own; gives its port."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", TRIVIAL_SERVER, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def said(module: str, *arguments: object) -> bytes:
    """The output of one of this folder's measuring processes; it does not outlive us."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output


class Contest:
    """One server, one directory, and ways to measure each contestant once.

    Args:
        port: of the server.
        directory: for records and logs.
        seconds: of load that are measured.
    """

    def __init__(self, port: int, directory: Path, seconds: float) -> None:
        self._port, self._directory, self._seconds = port, directory, seconds
        self._runs = 0

    async def locust(self, kind: str) -> float:
        """CPU seconds per request."""
        url = f"http://127.0.0.1:{self._port}"
        found = msgspec.json.decode(await said("benchmarks._locust_load", kind, url, RATE, self._seconds), type=Locusts)
        assert not found.failed, f"{found.failed} of Locust's requests failed"
        return found.cpu_s / found.completed

    async def ours(self) -> float:
        """CPU seconds per attempt."""
        async with self._clients(RATE) as (child, origin):
            before, after = [await self._status(child, origin + t) for t in (WARM_S, WARM_S + self._seconds)]
        assert not after["errored"], f"{after['errored']} of our attempts failed"
        return float((after["cpu_s"] - before["cpu_s"]) / (after["succeeded"] - before["succeeded"]))

    async def lateness(self) -> tuple[float, float]:
        """99th percentiles (seconds): ours, and the bare timer's beside it."""
        async with self._clients(PUNCTUAL_RATE) as (child, origin):
            timer = said("benchmarks._bare_timer", origin, PUNCTUAL_RATE, self._seconds)
            bare_s = float(await timer)
            status = await self._status(child, origin + self._seconds)
        return float(status["lateness"]["p99_s"]), bare_s

    async def _status(self, child: Child, when: float) -> dict[str, Any]:
        await asyncio.sleep(max(0.0, when - time.monotonic()))
        return await child.call("status")

    @asynccontextmanager
    async def _clients(self, rate: float) -> AsyncIterator[tuple[Child, float]]:
        """Our generator at work, and its second 0."""
        address = {"host": "127.0.0.1", "port": self._port}
        child = Child("clients", "demo_workers.services.clients", {"address": address}, self._directory / "log")
        await child.start()
        try:
            self._runs += 1
            origin, scenario = time.monotonic() + 0.5, load(rate, self._seconds + 2 * WARM_S)
            events = str(self._directory / f"{self._runs}.events")
            await child.call("begin", run="bench", origin=origin, events=events, scenario=scenario.to_dict())
            yield child, origin
            await child.call("end")
        finally:
            await child.stop()


async def measure(options: argparse.Namespace) -> list[Figure]:
    """All rounds."""
    if importlib.util.find_spec("locust") is None:
        raise Unavailable("locust is not installed: must be there to measure against. Run make bench.")
    ratios: dict[str, list[float]] = {"HttpUser": [], "FastHttpUser": [], "timer": []}
    with tempfile.TemporaryDirectory(prefix="workbook-") as directory:
        async with server() as port:
            contest = Contest(port, Path(directory), options.seconds)
            for n in range(options.rounds):
                await _round(contest, n, ratios)
    return [
        Figure.of("attempts per CPU second", ratios["HttpUser"], against="Locust HttpUser", at_least=4.0),
        Figure.of("attempts per CPU second", ratios["FastHttpUser"], against="Locust FastHttpUser", at_least=1.0),
        Figure.of("lateness p99 at 500/s", ratios["timer"], against="a bare loop timer", at_most=3.0),
    ]


async def _round(contest: Contest, n: int, ratios: dict[str, list[float]]) -> None:
    contestants: list[tuple[str, Callable[[], Awaitable[float]]]] = [
        ("ours", contest.ours),
        ("HttpUser", lambda: contest.locust("HttpUser")),
        ("FastHttpUser", lambda: contest.locust("FastHttpUser")),
    ]
    turn = n % len(contestants)
    cpu_s = {name: await measured() for name, measured in contestants[turn:] + contestants[:turn]}
    late_s, bare_s = await contest.lateness()
    for kind in ("HttpUser", "FastHttpUser"):
        ratios[kind].append(cpu_s[kind] / cpu_s["ours"])
    ratios["timer"].append(late_s / bare_s)
    costs = ", ".join(f"{name} {cost * 1e6:.0f} µs" for name, cost in cpu_s.items())
    say(f"round {n + 1}: {costs} per attempt; late by {late_s * 1e3:.2f} ms, bare timer {bare_s * 1e3:.2f} ms")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=4.0, help="of load per measurement")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=_options))
