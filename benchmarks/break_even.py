"""Is a like answered later through a queue than inline, every time?

``python -m benchmarks.break_even`` asks for work from 0.1 ms to 2 s in the three ways of notebook 05, twenty times. In
at least nineteen the like must be answered later through the queue, and everything else that the notebook says must be
so as well.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys

from benchmarks._bar import Figure, main, say
from demo_workers.stack import Stack
from lessons.check.claims import ClaimError
from lessons.trade_offs.break_even import break_even_s, check_break_even, measure
from lessons.trade_offs.lesson import WORKERS, Answers, Lesson

ROUNDS = 20
LEAST_SHARE = 0.95
EVEN_FROM_S = 0.01


async def measure_all(options: argparse.Namespace) -> list[Figure]:
    """Ask for all of it as often as there are rounds, and tell a row of each."""
    found = list[list[Answers]]()
    lesson = Lesson(Stack("break_even"))
    try:
        await lesson.stack.start(WORKERS)
        say(f"{lesson.stack.redis.name}; milliseconds inline, through the queue and until the 202")
        for number in range(1, options.rounds + 1):
            points = await measure(lesson)
            found.append(points)
            rows = (f"{point.work_s:g} s: {', '.join(f'{1000 * one:.1f}' for one in point[1:])}" for point in points)
            say(f"round {number} of {options.rounds}: {'; '.join(rows)}")
    finally:
        await lesson.stack.stop()
    against = "the same work inline"
    early = [all(point.accepted_s < point.inline_s for point in points if point.work_s >= EVEN_FROM_S)
             for points in found]  # fmt: skip
    longest = f"waiting for {found[0][-1].work_s:g} s of work"
    return [
        Figure.share("a like is answered later through the queue", [points[0].ratio > 1 for points in found],
                     against=against, at_least=LEAST_SHARE),
        Figure.share("all that the notebook says of the curve", list(map(_true, found)), at_least=LEAST_SHARE),
        Figure.share("the 202 comes sooner, from 10 ms of work on", early, against=against),
        Figure.of("waiting for a like", [points[0].ratio for points in found], against=against),
        Figure.of(longest, [points[-1].ratio for points in found], against=against),
        Figure.of("break-even of who goes on after the 202", [1000 * break_even_s(points) for points in found],
                  unit="ms"),
    ]  # fmt: skip


def _true(points: list[Answers]) -> bool:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check_break_even(points)
    except ClaimError as error:
        say(f"  {error}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(__doc__, measure_all, rounds=ROUNDS))
