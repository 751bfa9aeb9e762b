"""What does an exact limit cost, and is it exact?

``python -m benchmarks.enqueue`` lets jobs in through the bounded enqueue, from one process, and compares with
``rq.Queue.enqueue`` on the same Redis. Ours decides about sixteen at a time, as many as ask together where sixteen
connections are busy; what one at a time costs is reported too. Then sixteen producers meet a limit of fifty at once,
each with a connection of its own: exactly fifty of their jobs may get in.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
import time
from typing import Any

import redis
import uvloop
from rq import Queue
from rq.serializers import JSONSerializer

from benchmarks._bar import Figure, main, say
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.queueing.job_hash import order
from demo_workers.queueing.tasks import TASKS
from demo_workers.records.events import Outcome
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

FASTER = 3.0
"""The bar."""

TOGETHER = 16
PRODUCERS, EACH, LIMIT = 16, 50, 50
NAME = "wb-bench"
ARGS = {"service_time_s": 0.05, "kind": "sleep"}


async def bounded(connection: Any, jobs: int, together: int) -> float:
    """Jobs per second through the script."""
    await connection.flushall()
    queue, run = BoundedQueue(connection, NAME), secrets.token_hex(4)
    began = time.perf_counter()
    for first in range(0, jobs, together):
        await queue.decide(
            [order("work", ARGS, f"{run}-{n}-1") for n in range(first, first + together)], limit=10 * jobs
        )
    return jobs / (time.perf_counter() - began)


def stock(connection: redis.Redis, jobs: int) -> float:
    """Jobs per second as RQ lets them in, without a limit."""
    connection.flushall()
    queue = Queue(NAME, connection=connection, serializer=JSONSerializer)
    timeout = TASKS["work"].timeout_s(ARGS)
    began = time.perf_counter()
    for _ in range(jobs):
        queue.enqueue(TASKS["work"].path, kwargs=ARGS, job_timeout=timeout, result_ttl=60, failure_ttl=60)
    return jobs / (time.perf_counter() - began)


async def admitted(address: dict[str, str]) -> int:
    """How many of the producers' jobs got in."""
    connections = [connect_async(address) for _ in range(PRODUCERS)]
    await connections[0].flushall()

    async def produce(number: int) -> int:
        queue = BoundedQueue(connections[number], NAME)
        orders = [order("work", ARGS, f"run-{number * EACH + n}-1") for n in range(EACH)]
        decisions = [(await queue.decide([one], limit=LIMIT))[0] for one in orders]
        return sum(decision.outcome is Outcome.ADMITTED for decision in decisions)

    try:
        return sum(await asyncio.gather(*map(produce, range(PRODUCERS))))
    finally:
        await asyncio.gather(*(connection.aclose() for connection in connections))


async def _measure(options: argparse.Namespace) -> list[Figure]:
    runtime = make_runtime_directory()
    server = RedisServer(runtime, environ={})
    together, alone, exact = [], [], []
    try:
        await server.start()
        ours, theirs = connect_async(server.address), connect(server.address)
        for n in range(options.rounds + 1):
            batches = await bounded(ours, options.jobs, TOGETHER)
            rq = stock(theirs, options.jobs // 4)
            single = await bounded(ours, options.jobs // 4, 1)
            inside = await admitted(dict(server.address))
            say(f"{batches:,.0f} in batches, {single:,.0f} one by one, RQ {rq:,.0f} per second; {inside} of {LIMIT} in")
            if n:  # the first round warms up
                together.append(batches / rq)
                alone.append(single / rq)
                exact.append(inside == LIMIT)
        await ours.aclose()
        theirs.close()
    finally:
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)
    return [
        Figure.of("bounded enqueue, per second", together, against="rq.Queue.enqueue, same Redis", at_least=FASTER),
        Figure.of("the same, one job at a time", alone, against="rq.Queue.enqueue, same Redis"),
        Figure.share(f"exactly {LIMIT} admitted under {PRODUCERS} producers", exact, at_least=1.0),
    ]


def measure(options: argparse.Namespace) -> list[Figure]:
    """All of it, on a server of its own."""
    return uvloop.run(_measure(options))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=8000, help="in batches; a quarter of them one by one")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=_options))
