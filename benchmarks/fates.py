"""Does every letter of notebook 02 meet its fate, whenever its trouble comes?

``python -m benchmarks.fates`` sends letters through real forking workers, again and again, into six troubles: a mistake
in the code, a time-out, a killed work horse, a killed worker, a frozen one, a Redis that is killed and started again.
Each comes at a random moment of its own, another one each time. No letter may be unaccounted for: it is sent, or its
job has failed. Each letter that was sent twice is counted, and must have a reason.
"""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import redirect_stdout

from benchmarks._bar import Figure, main, say
from benchmarks._claims import holds
from lessons import task_queues
from lessons.task_queues.fates import EXCEPTION, FROZEN, HORSE, NO_RETRY, REDIS, WHO, WORKER, Fate
from lessons.task_queues.lesson import make_lesson

ROUNDS = 20
LEAST_SHARE = 0.95
EARLIEST_S, LATEST_S = 0.05, 0.55
"""Of a letter that takes 0.7 s: later it may be sent before the signal comes. A time-out takes its whole second."""


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all, tell a row of each, and in the end what was sent twice."""
    dice = random.Random(options.first_seed)
    lesson = make_lesson("fates")
    kept, rounds = [], list[list[Fate]]()
    try:
        for number in range(options.rounds):
            moments = {
                name: dice.uniform(EARLIEST_S, LATEST_S) for name in (EXCEPTION, HORSE, WORKER, NO_RETRY, FROZEN, REDIS)
            }
            with redirect_stdout(sys.stderr):  # standard output is for figures
                fates = await task_queues.six_troubles(lesson, moments=moments)
            kept.append(holds(task_queues.check_fates, fates))
            say(f"round {number + 1} of {options.rounds}: {'; '.join(_row(fate, moments) for fate in fates)}")
            rounds.append(fates)
    finally:
        await lesson.stack.stop()
    every = [fate for fates in rounds for fate in fates]
    doubles = {name: sum(fate.doubles for fate in every if fate.name == name) for name in WHO}
    say(f"sent twice, in {len(rounds)} rounds: {', '.join(f'{name} {count}' for name, count in doubles.items())}")
    return [
        Figure.share("letters meet their fates", kept, against="what notebook 02 says of them", at_least=LEAST_SHARE),
        Figure.share("letters accounted for", [one.accounted for one in every], against="sent, or failed", at_least=1),
        Figure.of("letters sent twice per round", [float(sum(one.doubles for one in fates)) for fates in rounds]),
        Figure.share(
            "letters sent twice have a reason",
            [one.explained for one in every],
            against="frozen, or sent just before",
            at_least=1,
        ),
    ]


def _row(fate: Fate, moments: dict[str, float]) -> str:
    at = f" at {moments[fate.name]:.2f} s" if fate.name in moments else ""
    return f"{fate.name}{at}: sent {len(fate.sent)}, {fate.status}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=ROUNDS, options=add_options))
