"""Section d: the number behind each choice: measured on this machine, or recorded where that takes other servers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, NamedTuple

import redis

from demo_workers.brokers.losses import Recording, recorded
from demo_workers.errors import LabError
from demo_workers.queueing.tasks import work
from lessons.check.claims import Claim, check
from lessons.trade_offs.break_even import a_like
from lessons.trade_offs.guide import LOG, NONE, POOL, RABBITMQ, REDIS, SQS, Number
from lessons.trade_offs.lesson import Answers, Lesson

HERE = "measured here"
CALLS = 100
WAITING = 20
POOL_OF_ONE = f"""
import concurrent.futures, time
def work(number):
    time.sleep(0.01)
    print(number, flush=True)
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    list(pool.map(work, range({WAITING})))
"""
"""A process whose pool has twenty jobs; it tells which are done, and ends by itself soon."""

EVENTS, READERS = 200, 2
LIVES_S = 60


class Measured(NamedTuple):
    """What section d measures.

    Attributes:
        like: of a like, as in section a.
        pool_s: handing a thread pool something to do and hearing that it is done, seconds.
        pool_lost: jobs of twenty that were gone with their process.
        stream_read: events that two readers of a Redis stream read, each of them.
        list_read: what two readers of a Redis list read, each of them.
        recorded: the table of losses in the repository.
    """

    like: Answers
    pool_s: float
    pool_lost: int
    stream_read: tuple[int, ...]
    list_read: tuple[int, ...]
    recorded: Recording

    @property
    def queue_s(self) -> float:
        """What a queue adds for whoever waits (seconds)."""
        return self.like.queued_s - self.like.inline_s

    @property
    def numbers(self) -> dict[str, Number]:
        """One for each choice."""
        record = self.recorded
        then = f"recorded on {record.date}"
        popped, moved = _lost(record, "redis_list", "consumer killed"), _lost(record, "redis_safe_list")
        unconfirmed = _lost(record, "rabbitmq_classic", "node killed", "unconfirmed")
        confirmed = _lost(record, "rabbitmq", "node killed")
        return {
            NONE: Number(f"a like: {_ms(self.like.inline_s)} inline, {_ms(self.like.queued_s)} through a queue", HERE),
            POOL: Number(f"{_ms(self.pool_s)} per call; process killed: {self.pool_lost} of {WAITING} jobs gone", HERE),
            REDIS: Number(f"{_ms(self.queue_s)} more for whoever waits; killed consumers lost {popped}, with LMOVE "
                          f"{moved}", f"{HERE}; the losses {then}"),
            RABBITMQ: Number(f"node killed: {unconfirmed} lost unconfirmed, {confirmed} confirmed", then),
            SQS: Number(f"slow consumers: {_doubled(record)} done twice after the visibility time-out",
                        f"{then}, on a local server that behaves like it"),
            LOG: Number(f"two readers of a Redis stream read {_each(self.stream_read)} of {EVENTS} events, of a list "
                        f"{_each(self.list_read)}", HERE),
        }  # fmt: skip


async def measure_choices(lesson: Lesson) -> Measured:
    """Measure what can be measured here, and look up the rest."""
    like = await a_like(lesson)
    return Measured(like, *await asyncio.to_thread(_pool), *await asyncio.to_thread(_log, lesson), recorded())


def _pool() -> tuple[float, int]:
    took = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(CALLS):
            began = time.perf_counter()
            pool.submit(work, 0.0).result()
            took.append(time.perf_counter() - began)
    return median(took), _lost_with_process()


def _lost_with_process() -> int:
    """Kill a process as soon as the first job of its pool is done."""
    command = [sys.executable, "-I", "-S", "-c", POOL_OF_ONE]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        return WAITING - 1 - len(process.stdout.readlines())


def _log(lesson: Lesson) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two readers of a stream, each from its own position; two readers of a list, in turns."""
    with lesson.redis() as connection:
        stream, line = f"{lesson.stack.queue}:stream", f"{lesson.stack.queue}:list"
        try:
            pipe = connection.pipeline(transaction=False)
            for number in range(EVENTS):
                pipe.xadd(stream, {"event": number})
                pipe.lpush(line, number)
            pipe.expire(stream, LIVES_S)
            pipe.expire(line, LIVES_S)
            pipe.execute()
            return tuple(len(_entries(connection, stream)) for _ in range(READERS)), _in_turns(connection, line)
        finally:
            connection.delete(stream, line)


def _entries(connection: redis.Redis, stream: str) -> list[Any]:
    found: Any = connection.xrange(stream)
    return list(found)


def _in_turns(connection: redis.Redis, line: str) -> tuple[int, ...]:
    read = [0] * READERS
    while True:
        for reader in range(READERS):
            if connection.rpop(line) is None:
                return tuple(read)
            read[reader] += 1


def _lost(record: Recording, broker: str, fault: str = "consumer killed", setting: str = "") -> str:
    for row in record.rows:
        if (row.broker, row.fault) == (broker, fault) and setting in ("", row.setting):
            return f"{row.loss.lost:,} of {row.loss.acknowledged:,}"
    raise LabError(f"recorded row = {broker}, {fault}: must be in losses.json. Run python -m benchmarks.loss --record.")


def _doubled(record: Recording) -> str:
    rows = [row.loss for row in record.rows if (row.broker, row.fault) == ("sqs", "visibility expired")]
    return f"{sum(loss.doubled for loss in rows)} of {sum(loss.acknowledged for loss in rows)}"


def _each(read: tuple[int, ...]) -> str:
    return " and ".join(map(str, read))


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms"


def show_numbers(found: Measured) -> None:
    """The number behind each choice."""
    for choice, number in found.numbers.items():
        print(f"{choice:<14} {number.text}\n{'':<14} {number.source}")


def check_numbers(found: Measured) -> None:
    """What section d says of the numbers.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(found[:-1])
    check(
        Claim("a thread pool costs far less per call than a queue", 5 * found.pool_s < found.queue_s, numbers),
        Claim("what waits in a pool is gone with its process", found.pool_lost > 0, numbers),
        Claim("of a log each reader reads everything", set(found.stream_read) == {EVENTS}, numbers),
        Claim("of a list each message goes to one of them",
              sum(found.list_read) == EVENTS and max(found.list_read) < EVENTS, numbers),
    )  # fmt: skip
