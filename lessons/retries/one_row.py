"""Further: many clients change one row, compare and set. In the model, and on a real Redis with WATCH and MULTI."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis.exceptions import WatchError

from demo_workers.policies.backoff import BackoffState
from demo_workers.queueing.connection import connect_async
from demo_workers.variates import Stream, variate
from lessons import contention
from lessons.check.claims import Claim, check
from lessons.contention import Contention, Findings, Policy
from lessons.retries.lesson import Lesson

CLIENTS = 24
BASE_S, CAP_S = 0.02, 0.5
MODEL_CLIENTS, MODEL_SEEDS = 40, 5
JITTERED: tuple[Policy, ...] = ("full", "equal", "decorrelated")
MODELLED: tuple[Policy, ...] = ("none", "exponential", *JITTERED)
REAL: tuple[Policy, ...] = ("none", "full", "decorrelated")


class Raced(NamedTuple):
    """What it took until every client had made its change.

    Attributes:
        calls: transactions sent.
        took_s: until the last one had succeeded (seconds).
        value: what the row holds in the end; each change adds 1.
        clients: how many.
    """

    calls: int
    took_s: float
    value: int
    clients: int


def model() -> dict[str, Findings]:
    """Forty clients in the model, some seeds per policy; times in ticks, a message takes about ten."""
    return {
        policy: contention.contend(Contention(clients=MODEL_CLIENTS, policy=policy), MODEL_SEEDS)
        for policy in MODELLED
    }  # fmt: skip


async def race(lesson: Lesson, *policies: Policy, clients: int = CLIENTS, seed: int = 7) -> dict[str, Raced]:
    """The same on the lesson's real Redis, once per policy.

    Args:
        lesson: has the Redis.
        policies: default is ``REAL``.
        clients: how many, each on a connection of its own.
        seed: of the jitter.
    """
    await lesson.stack.start(lesson.workers)
    redis = connect_async(lesson.stack.redis.address)
    try:
        row = f"{lesson.stack.queue}:row:{secrets.token_hex(4)}"
        return {policy: await _race(redis, row, policy, clients, seed) for policy in policies or REAL}
    finally:
        await redis.aclose()


async def _race(redis: Any, row: str, policy: Policy, clients: int, seed: int) -> Raced:
    await redis.set(row, 0)
    pipes = [redis.pipeline() for _ in range(clients)]
    try:
        await asyncio.gather(*(pipe.watch(row) for pipe in pipes))  # connected before the start
        began = time.monotonic()
        calls = await asyncio.gather(*(_change(pipe, row, policy, seed, n) for n, pipe in enumerate(pipes)))
        took_s = time.monotonic() - began
        return Raced(sum(calls), took_s, int(await redis.get(row)), clients)
    finally:
        await asyncio.gather(*(pipe.aclose() for pipe in pipes))
        await redis.delete(row)


async def _change(pipe: Any, row: str, policy: Policy, seed: int, client: int) -> int:
    """Add 1, if nobody else has changed the row since it was read; returns how many times that was tried."""
    state, calls = BackoffState(), 0
    while True:
        await pipe.watch(row)
        value = int(await pipe.get(row))
        pipe.multi()
        pipe.set(row, value + 1)
        calls += 1
        try:
            await pipe.execute()
            return calls
        except WatchError:
            u = variate(seed, Stream.JITTER, client, calls)
            state, wait_s = contention.WAITS[policy](state, 0.0, u, BASE_S, CAP_S)
            await asyncio.sleep(wait_s)


def show_race(model: Mapping[str, Findings], real: Mapping[str, Raced]) -> None:
    """Print calls and times of both."""
    print(f"model, {MODEL_CLIENTS} clients")
    for policy, found in model.items():
        print(f"  {policy:13s} {found.calls:6.0f} calls; the last one is done after {found.finish_time:7.0f} ticks")
    print(f"real Redis, WATCH and MULTI, {next(iter(real.values())).clients} clients")
    for policy, raced in real.items():
        print(f"  {policy:13s} {raced.calls:6d} calls; the last one is done after {1000 * raced.took_s:7.0f} ms")


def check_race(model: Mapping[str, Findings], real: Mapping[str, Raced]) -> None:
    """What is said of the contention.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"model {[(name, one.calls, one.finish_time) for name, one in model.items()]}; real {dict(real)}"
    jittered = [model[policy] for policy in JITTERED]
    others = [raced.calls for policy, raced in real.items() if policy != "none"]
    check(
        Claim("in the model no backoff needs the most calls, and jitter the fewest",
              model["none"].calls > model["exponential"].calls > max(one.calls for one in jittered), numbers),
        Claim("in the model no backoff is done first, and exponential without jitter last",
              model["none"].finish_time < min(one.finish_time for one in jittered)
              and max(one.finish_time for one in jittered) < model["exponential"].finish_time, numbers),
        Claim("on a real Redis no backoff needs the most calls", real["none"].calls > 1.2 * max(others), numbers),
        Claim("every change was made exactly once, whatever the policy", _all_made(list(real.values())), numbers),
    )  # fmt: skip


def _all_made(real: Sequence[Raced]) -> bool:
    return all(one.value == one.clients for one in real)
