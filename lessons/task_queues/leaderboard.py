"""Section d: a leaderboard counted when somebody looks, or in advance. Which is less work?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import closing
from statistics import median
from typing import Any, NamedTuple

from demo_workers.queueing import reports
from lessons.check.claims import Claim, check
from lessons.task_queues.lesson import Lesson

POSTS, TOP = 10_000, 10
PERIOD_S = 10.0
PERIODS = 12
FACTOR = 5
"""How far below and above the break-even the two ways are compared."""

KEY = "leaderboard"
COUNT = "SELECT author, SUM(likes) FROM posts GROUP BY author ORDER BY 2 DESC LIMIT ?"


class Compared(NamedTuple):
    """Work of both ways at one read rate, measured over some periods.

    Attributes:
        reads: how many reads there were.
        on_demand_s: seconds of work if each read counts.
        in_advance_s: seconds of work if each period counts once, and each read fetches that.
    """

    reads: int
    on_demand_s: float
    in_advance_s: float


class Board(NamedTuple):
    """What was measured.

    Attributes:
        count_s: counting the board once, seconds.
        fetch_s: fetching a board that is there.
        below: at a fifth of the break-even rate.
        above: at five times that.
        same: whether both ways gave the same board.
    """

    count_s: float
    fetch_s: float
    below: Compared
    above: Compared
    same: bool

    @property
    def break_even(self) -> float:
        """Reads per second at which both ways are the same work: r C = r F + C / T."""
        return self.count_s / (self.count_s - self.fetch_s) / PERIOD_S


async def compare_boards(lesson: Lesson) -> Board:
    """Count and fetch for real, as often as the two ways would."""
    await lesson.stack.start()
    return await asyncio.to_thread(_compare, lesson)


def _compare(lesson: Lesson) -> Board:
    with closing(reports.table(POSTS, month=1)) as database, lesson.redis() as redis:

        def count() -> str:
            return json.dumps(database.execute(COUNT, (TOP,)).fetchall())

        def store() -> None:
            redis.set(KEY, count(), ex=60)

        def fetch() -> str:
            stored: Any = redis.get(KEY)
            return str(stored.decode())

        store()
        count_s, fetch_s = _typical(count, 9), _typical(fetch, 101)
        board = Board(count_s, fetch_s, Compared(0, 0, 0), Compared(0, 0, 0), fetch() == count())
        reads = board.break_even * PERIOD_S * PERIODS
        below, above = (_work(max(1, round(n)), count, store, fetch) for n in (reads / FACTOR, reads * FACTOR))
        redis.delete(KEY)
        return board._replace(below=below, above=above)


def _work(reads: int, count: Callable[[], str], store: Callable[[], None], fetch: Callable[[], str]) -> Compared:
    began = time.perf_counter()
    for _ in range(reads):
        count()
    middle = time.perf_counter()
    for _ in range(PERIODS):
        store()
    for _ in range(reads):
        fetch()
    return Compared(reads, middle - began, time.perf_counter() - middle)


def _typical(call: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return median(took)


def show_board(board: Board) -> None:
    """Print the arithmetic and what was measured."""
    print(f"counting takes {board.count_s * 1000:.1f} ms, fetching {board.fetch_s * 1000:.2f} ms")
    print(f"break-even, counted every {PERIOD_S:.0f} s: {board.break_even:.3f} reads per second")
    print(f"{'reads in two minutes':<24}{'on demand':>12}{'in advance':>12}")
    for one in (board.below, board.above):
        print(f"{one.reads:<24}{one.on_demand_s * 1000:>9.0f} ms{one.in_advance_s * 1000:>9.0f} ms")
    print(f"and a board made in advance is {PERIOD_S / 2:.0f} s old on average, {PERIOD_S:.0f} s at most")


def check_board(board: Board) -> None:
    """What section d says of work in advance.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{board}, break-even {board.break_even:.3f}/s"
    check(
        Claim("both ways give the same board", board.same, numbers),
        Claim("fetching is far less work than counting", board.fetch_s < board.count_s / 3, numbers),
        Claim("below the break-even, counting on demand was less work",
              board.below.on_demand_s < board.below.in_advance_s, numbers),
        Claim("above it, counting in advance was less work",
              board.above.in_advance_s < board.above.on_demand_s, numbers),
    )  # fmt: skip
