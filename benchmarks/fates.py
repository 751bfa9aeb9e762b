"""Do the six letters of notebook 02 meet their fates, whenever their workers are harmed?

``python -m benchmarks.fates`` sends six letters through five real forking workers, again and again: one meets a
mistake, one a time-out, and the workers of the others are killed or frozen at a random moment, another one each time.
No letter may be unaccounted for: it is sent, or its job has failed. Twice sent are those of frozen machines alone.
"""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import redirect_stdout

from benchmarks._bar import Figure, main, say
from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues.deaths import CASES, FROZEN, Fate
from lessons.task_queues.lesson import make_lesson

ROUNDS = 20
LEAST_SHARE = 0.95
EARLIEST_S, LATEST_S = 0.05, 0.55
"""Of a letter that takes 0.7 s: later than that it may be sent before the signal comes."""


def holds(fates: list[Fate]) -> bool:
    """Whether everything is so that the notebook says of them."""
    try:
        with redirect_stdout(sys.stderr):  # standard output is for figures
            task_queues.check_fates(fates)
    except ClaimError as error:
        say(f"  {error}")
        return False
    return True


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all and tell a row of each."""
    dice = random.Random(options.first_seed)
    lesson = make_lesson("fates")
    kept, accounted, explained = [], [], []
    try:
        say(f"{'harmed after':>13}  sent: {', '.join(CASES)}")
        for _ in range(options.rounds):
            harm_s = dice.uniform(EARLIEST_S, LATEST_S)
            fates = await task_queues.six_fates(lesson, harm_s=harm_s)
            say(f"{harm_s:>11.2f} s  {', '.join(str(len(fate.sent)) for fate in fates)}")
            kept.append(holds(fates))
            accounted.append(all(bool(fate.sent) or fate.status == "failed" for fate in fates))
            explained.append({fate.name for fate in fates if len(fate.sent) > 1} <= {FROZEN})
    finally:
        await lesson.stack.stop()
    against = "what notebook 02 says of them"
    return [
        Figure.share("six letters meet their six fates", kept, against=against, at_least=LEAST_SHARE),
        Figure.share("no letter unaccounted for", accounted, against="sent, or failed", at_least=1.0),
        Figure.share("twice sent is only a frozen machine's", explained, against="one effect each", at_least=1.0),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=ROUNDS, options=add_options))
