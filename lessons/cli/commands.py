"""The verbs that drive a system: run, serve, worker, replay."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
import sys

import msgspec

from demo_workers.errors import ScenarioError
from demo_workers.queueing.worker import join
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.services.servers.redis_server import URL, RedisServer, make_runtime_directory
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.cli import report
from lessons.cli.options import make_directory, scenario_of
from lessons.cli.recorded import load
from lessons.cli.running import play, running


def run(arguments: argparse.Namespace) -> int:
    """Play a scenario on the real system."""
    scenario = scenario_of(arguments)
    if arguments.out is not None:
        make_directory(arguments.out, empty=True)
    found, calibration = asyncio.run(play("run", scenario, arguments.out, fresh=arguments.calibrate))
    _print(found, calibration, as_json=arguments.json)
    return 0 if found.ledger.balanced and found.valid and not found.ended_by else 1


def replay(arguments: argparse.Namespace) -> int:
    """Show a recorded run again."""
    found = load(arguments.run)
    _print(found, None, as_json=arguments.json)
    return 0 if found.ledger.balanced and found.valid else 1


def _print(found: Run, calibration: Calibration | None, *, as_json: bool) -> None:
    text = (
        msgspec.json.encode(report.facts(found, calibration)).decode() if as_json else report.lines(found, calibration)
    )
    print(text)


def serve(arguments: argparse.Namespace) -> int:
    """Gateway, workers and Redis on loopback TCP, until SIGTERM, SIGINT or the end of a piped standard input."""
    asyncio.run(_serve(scenario_of(arguments), _port(arguments.port), as_json=arguments.json))
    return 0


async def _serve(scenario: Scenario, port: int, *, as_json: bool) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    _at_end_of_input(loop, asked)
    async with running(Stack("serve", port=port, queue="workbook", on_failure=lambda error: asked.set())) as stack:
        url = await stack.serve(scenario)
        facts = {"url": url, "server": stack.redis.name, "queue": stack.queue, "workers": scenario.service.workers}
        print(msgspec.json.encode(facts).decode() if as_json else f"{url}  ({stack.redis.name})", flush=True)
        await asked.wait()
        if stack.broken is not None:
            raise stack.broken


def _at_end_of_input(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    """When standard input is a pipe, its end is the owner's end."""
    if sys.stdin is None or not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        return

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            asked.set()

    loop.add_reader(sys.stdin.fileno(), read)


def worker(arguments: argparse.Namespace) -> int:
    """One worker that joins the system whose Redis is named by WORKBOOK_REDIS_URL."""
    url = os.environ.get(URL)
    if not url:
        remedy = "Set it to the address of the system to join, for example redis://:password@host:6379/0."
        raise ScenarioError(URL, url, "the URL of a Redis server", remedy)
    asyncio.run(_ask(url))
    join({"url": url}, arguments.queue)
    return 0


async def _ask(url: str) -> None:
    """Raises RedisUnavailable with a remedy when no server answers there, instead of what RQ would raise."""
    server = RedisServer(make_runtime_directory(), environ={URL: url})
    try:
        await server.start()
    finally:
        await server.stop()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ScenarioError("--port", text, "a whole number from 0 to 65535", "0 takes any free port.")
    return int(text)
