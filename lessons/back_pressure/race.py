"""Section c: sixteen producers at one limit. Looking and then pushing lets too many in; one step does not."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

import redis

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.queueing.job_hash import order
from lessons.check.claims import Claim, check
from lessons.private_server import private_server

PRODUCERS, LIMIT, WAVES = 16, 20, 4
RACES = 3
"""One race may happen to go well, the more so the fewer processor cores there are."""

QUEUE = "orders"
STUCK_S = 10.0

Producer = Callable[[redis.Redis, str], object]


class Raced(NamedTuple):
    """How many orders were brought to each of some races, and how many were in the queue afterwards."""

    brought: int
    inside: tuple[int, ...]

    @property
    def deepest(self) -> int:
        """Of all races."""
        return max(self.inside)

    def __str__(self) -> str:
        return f"{self.brought} orders came, limit {LIMIT}; inside afterwards: {', '.join(map(str, self.inside))}"


async def race(producer: Producer) -> Raced:
    """Let sixteen threads, each with a connection of its own, bring four orders each, all at the same moments.

    Args:
        producer: takes a Redis connection and an order; puts it into the list ``orders``, or does not.
    """
    async with private_server() as server:
        address = dict(server.address)
        return Raced(
            PRODUCERS * WAVES, tuple([await asyncio.to_thread(_race, address, producer) for _ in range(RACES)])
        )


def _race(address: dict[str, str], producer: Producer) -> int:
    together = Barrier(PRODUCERS)
    connections = [connect(address) for _ in range(PRODUCERS)]

    def produce(number: int) -> None:
        try:
            connections[number].ping()  # connected before the start
            for wave in range(WAVES):
                together.wait(STUCK_S)
                producer(connections[number], f"order {wave}.{number}")
        except BaseException:
            together.abort()  # the others must not wait for this one
            raise

    try:
        with ThreadPoolExecutor(PRODUCERS) as pool:
            done = [pool.submit(produce, number) for number in range(PRODUCERS)]
        failed = [error for one in done if (error := one.exception()) is not None]
        if failed:
            # the cause, and not that a barrier broke because of it
            raise next((error for error in failed if not isinstance(error, RuntimeError)), failed[0])
        inside: Any = connections[0].llen(QUEUE)
        connections[0].delete(QUEUE)
        return int(inside)
    finally:
        for connection in connections:
            connection.close()


async def race_for_places(policy: str) -> Raced:
    """The same with real RQ jobs, by the workbook's two ways.

    Args:
        policy: ``naive`` looks and then pushes; ``reject`` is the Lua script of the gateway.
    """
    async with private_server() as server:
        connections = [connect_async(server.address) for _ in range(PRODUCERS)]
        try:
            inside = [await _race_for_places([BoundedQueue(one, f"race-{n}") for one in connections], policy)
                      for n in range(RACES)]  # fmt: skip
            return Raced(PRODUCERS * WAVES, tuple(inside))
        finally:
            await asyncio.gather(*(connection.aclose() for connection in connections))


async def _race_for_places(queues: Sequence[BoundedQueue], policy: str) -> int:
    run = secrets.token_hex(4)

    async def produce(number: int) -> None:
        for wave in range(WAVES):
            job = order("work", {"service_time_s": 0.05, "kind": "sleep"}, f"{run}-{wave * PRODUCERS + number}-1")
            if policy == "naive":
                await queues[number].look_then_push(job, limit=LIMIT)
            else:
                await queues[number].decide([job], limit=LIMIT)

    await asyncio.gather(*(queue.depth() for queue in queues))  # connected before the start
    await asyncio.gather(*map(produce, range(len(queues))))
    return await queues[0].depth()


def check_race(naive: Raced, one_step: Raced, naive_rq: Raced, exact_rq: Raced) -> None:
    """What section c says of the races.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{naive}; {one_step}; {naive_rq}; {exact_rq}"
    check(
        Claim("all races had more orders than places", min(one.brought for one in (naive, one_step)) > LIMIT, numbers),
        Claim("look, then push: more got in than the limit", naive.deepest > LIMIT, numbers),
        Claim("look and push in one step: exactly the limit, each time", set(one_step.inside) == {LIMIT}, numbers),
        Claim("with real RQ jobs the first way passes the limit too", naive_rq.deepest > LIMIT, numbers),
        Claim("the workbook's script is exact, each time", set(exact_rq.inside) == {LIMIT}, numbers),
    )
