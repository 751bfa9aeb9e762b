"""A process with some producers of fifty jobs each; prints what was decided, as JSON."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

from demo_workers.queueing.bounded_enqueue import BoundedQueue, Decision
from demo_workers.queueing.connection import connect_async
from demo_workers.queueing.job_hash import order
from tests.demo_workers.queueing.place import QUEUE, RUN

JOBS = 50


async def produce(config: dict[str, Any]) -> list[Decision]:
    """Each producer has a connection of its own; none begins before the word is given."""
    print("ready", flush=True)
    sys.stdin.readline()
    numbers = range(config["number"] * config["producers"], (config["number"] + 1) * config["producers"])
    found = await asyncio.gather(*(one(config, number) for number in numbers))
    return [decision for some in found for decision in some]


async def one(config: dict[str, Any], number: int) -> list[Decision]:
    """Batches of random size by the script, or one job after the other by the naive way."""
    connection = connect_async(config["address"])
    queue = BoundedQueue(connection, QUEUE)
    args = {"service_time_s": 0.0, "kind": "sleep"}
    orders = [order("work", args, f"{RUN}-{number * JOBS + n}-1") for n in range(JOBS)]
    dice = random.Random(config["seed"] + number)
    decisions: list[Decision] = []
    try:
        while orders:
            if config["policy"] == "naive":
                decisions.append(await queue.look_then_push(orders.pop(), limit=config["limit"]))
            else:
                size = dice.randint(1, 9)
                batch, orders = orders[:size], orders[size:]
                decisions += await queue.decide(batch, limit=config["limit"], place=config["policy"])
    finally:
        await connection.aclose()
    return decisions


if __name__ == "__main__":
    print(json.dumps(asyncio.run(produce(json.loads(sys.stdin.readline())))))
