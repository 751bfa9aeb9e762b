"""Does the longest queue of notebook 03 serve the fewest in time, every time?

``python -m benchmarks.longest_queue`` plays the notebook's overload twenty times live, each time with the limits 6, 20,
40 and 100 on the same tape, with another seed each time. A hundred must serve the fewest in at least nineteen.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks._bar import Figure, main, say
from demo_workers.stack import Stack
from lessons.back_pressure import LIMITS, Lesson
from lessons.back_pressure.lesson import FULL_S, WORKERS
from lessons.back_pressure.limits import served

RUNS = 20
LEAST_SHARE = 0.95
LONGEST = max(LIMITS)


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all and tell a row of each."""
    stack, fewest, shares = Stack("longest_queue"), [], []
    try:
        await stack.start(WORKERS)
        lesson = Lesson(stack, await stack.calibrate(WORKERS))
        say(
            f"{stack.redis.name}; RQ's cost per job {lesson.cost.overhead_s * 1000:.1f} ms; "
            f"{lesson.capacity:.1f} posts/s"
        )
        say(f"{'seed':>6} " + " ".join(f"{f'in time, limit {limit}':>19}" for limit in LIMITS))
        for seed in range(options.first_seed, options.first_seed + options.rounds):
            in_time = {
                limit: served(
                    await lesson.play(lesson.overloaded(limit, duration_s=options.seconds, seed=seed))
                ).in_time
                for limit in LIMITS
            }
            say(f"{seed:>6} " + " ".join(f"{count:>19}" for count in in_time.values()))
            best_other = min(count for limit, count in in_time.items() if limit != LONGEST)
            fewest.append(in_time[LONGEST] < best_other)
            shares.append(in_time[LONGEST] / best_other)
    finally:
        await stack.stop()
    against = "the least of 6, 20 and 40, same tape"
    return [
        Figure.share(f"limit {LONGEST} serves the fewest in time", fewest, against=against, at_least=LEAST_SHARE),
        Figure.of("served in time", shares, against=against),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=FULL_S, help=f"length of a run, default {FULL_S:g}")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=RUNS, options=add_options))
