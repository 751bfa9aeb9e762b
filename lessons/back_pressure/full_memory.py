"""Section f: what a long queue makes slow in Redis, what it does not, and what happens when memory is full."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import redis
from redis.exceptions import OutOfMemoryError

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.queueing.connection import connect, connect_async
from demo_workers.queueing.job_hash import order
from demo_workers.records.events import Outcome
from lessons.check.claims import Claim, check
from lessons.private_server import private_server

LENGTHS = (100, 10_000, 200_000)
REPEATS = 15
FILL = """
for n = 1, tonumber(ARGV[1]) do redis.call('RPUSH', KEYS[1], string.format('job-%012d', n)) end
"""

ROOM = 2 << 20
"""Bytes that Redis may use beyond what it has when it is empty."""

JOBS, TOGETHER = 3200, 16
QUEUE = "orders"


class Places(NamedTuple):
    """Median time of a command, microseconds, as a client sees it.

    Attributes:
        ends_us: queue length → put one in at the end and take one out at the head.
        scan_us: queue length → ask which place the last job has (LPOS, which RQ's ``job.get_position()`` sends).
    """

    ends_us: dict[int, float]
    scan_us: dict[int, float]


async def look_for_places(lengths: Sequence[int] = LENGTHS) -> Places:
    """Time both on real Redis lists of growing length."""
    async with private_server() as server:
        connection = connect(server.address)
        try:
            fill = connection.register_script(FILL)
            for length in lengths:
                fill(keys=[_key(length)], args=[length])
            last = {length: f"job-{length:012d}" for length in lengths}
            # length by length in each round: a moment in which the machine is busy meets all of them alike
            rounds = [
                (
                    {length: _us(partial(_move, connection, _key(length))) for length in lengths},
                    {length: _us(partial(connection.lpos, _key(length), last[length])) for length in lengths},
                )
                for _ in range(REPEATS)
            ]
            ends, scan = zip(*rounds, strict=True)
            return Places(_medians(ends), _medians(scan))
        finally:
            connection.close()


def _move(connection: redis.Redis, key: str) -> None:
    connection.rpush(key, "one more")
    connection.lpop(key)


def _us(do: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    do()
    return (time.perf_counter_ns() - began) / 1000


def _medians(rounds: Sequence[Mapping[int, float]]) -> dict[int, float]:
    return {length: float(np.median([times[length] for times in rounds])) for length in rounds[0]}


def _key(length: int) -> str:
    return f"list:{length}"


def show_places(found: Places) -> None:
    """A row per length."""
    print(f"{'queue length':>14} {'in at the end, out at the head':>31} {'which place am I?':>19}")
    for length, ends in found.ends_us.items():
        print(f"{length:>14,} {ends:>28.0f} µs {found.scan_us[length]:>16.0f} µs")


def check_places(found: Places) -> None:
    """What section f says of long queues.

    Raises:
        ClaimError: it is not so.
    """
    short, long = min(found.ends_us), max(found.ends_us)
    numbers = f"ends {found.ends_us}, scans {found.scan_us}"
    check(
        Claim("both ends of the longest queue are as quick as those of the shortest",
              found.ends_us[long] < 4 * found.ends_us[short], numbers),
        Claim("asking for a place gets slower with the queue", found.scan_us[long] > 4 * found.scan_us[short], numbers),
    )  # fmt: skip


class Filled(NamedTuple):
    """What became of jobs in a Redis whose memory ended.

    Attributes:
        policy: Redis's ``maxmemory-policy``.
        tried: jobs that were brought.
        accepted: jobs for which Redis said yes.
        refused: whether it said no in the end.
        there: accepted jobs whose data are still there.
        listed: whether the queue itself still is.
    """

    policy: str
    tried: int
    accepted: int
    refused: bool
    there: int
    listed: bool

    def __str__(self) -> str:
        last = "then Redis said no" if self.refused else "Redis never said no"
        queue = "" if self.listed else "; the queue itself is gone"
        return f"{self.policy}: {self.accepted} jobs accepted, {last}; {self.there} of them are still there{queue}"


async def fill_up(*policies: str) -> list[Filled]:
    """Bring real RQ jobs to a Redis with two megabytes of room, until it says no or all have come.

    Args:
        policies: a server with each, side by side: ``noeviction`` or ``allkeys-lru``.
    """
    return await asyncio.gather(*map(_fill_up, policies))


async def _fill_up(policy: str) -> Filled:
    async with private_server() as server:
        connection: Any = connect_async(server.address)
        try:
            queue, run = BoundedQueue(connection, QUEUE), secrets.token_hex(4)
            await queue.decide([], limit=None)  # the script is loaded before memory ends
            used = int((await connection.info("memory"))["used_memory"])
            await connection.config_set("maxmemory-policy", policy)
            await connection.config_set("maxmemory", used + ROOM)
            accepted, refused, tried = await _bring(queue, run)
            await connection.config_set("maxmemory", 0)
            there = sum([await connection.exists(f"rq:job:{job}") for job in accepted])
            listed = bool(await connection.exists(f"rq:queue:{QUEUE}"))
            return Filled(policy, tried, len(accepted), refused, there, listed)
        finally:
            await connection.aclose()


async def _bring(queue: BoundedQueue, run: str) -> tuple[list[str], bool, int]:
    accepted: list[str] = []
    for first in range(0, JOBS, TOGETHER):
        jobs = [
            order("work", {"service_time_s": 0.05, "kind": "sleep"}, f"{run}-{number}-1")
            for number in range(first, first + TOGETHER)
        ]
        try:
            decisions = await queue.decide(jobs, limit=None)
        except OutOfMemoryError:
            return accepted, True, first + TOGETHER
        accepted += [one.job_id for one in decisions if one.outcome is Outcome.ADMITTED]
    return accepted, False, JOBS


def check_full(noeviction: Filled, lru: Filled) -> None:
    """What section f says of full memory.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{noeviction}; {lru}"
    check(
        Claim("noeviction: Redis says no when its memory is full", noeviction.refused, numbers),
        Claim("noeviction: every job it had accepted is still there",
              noeviction.accepted > 0 and noeviction.there == noeviction.accepted, numbers),
        Claim("allkeys-lru: Redis never says no", not lru.refused and lru.accepted == lru.tried, numbers),
        Claim("allkeys-lru: accepted jobs are gone, without a word", lru.there < lru.accepted, numbers),
    )  # fmt: skip
