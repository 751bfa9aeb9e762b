"""A process with four producers of fifty jobs each; prints what was decided, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.queueing.connection import connect_async
from tests.demo_workers.queueing.place import QUEUE, RUN

PRODUCERS, JOBS = 4, 50


async def produce(config: dict[str, Any]) -> list[tuple[int, int]]:
    """Each producer has a connection of its own; none begins before the word is given."""

    async def one(number: int) -> list[tuple[int, int]]:
        connection = connect_async(config["address"])
        queue = BoundedQueue(connection, QUEUE)
        first = (config["number"] * PRODUCERS + number) * JOBS
        args = {"service_time_s": 0.0, "kind": "sleep"}
        try:
            return [
                await queue.enqueue(
                    "work", args, job_id=f"{RUN}-{first + n}-1", limit=config["limit"], policy=config["policy"]
                )
                for n in range(JOBS)
            ]
        finally:
            await connection.aclose()

    print("ready", flush=True)
    sys.stdin.readline()
    return [decision for some in await asyncio.gather(*map(one, range(PRODUCERS))) for decision in some]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(produce(json.loads(sys.stdin.readline())))))
