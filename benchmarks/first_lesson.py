"""Does the limit of notebook 00 serve more people in time, every time?

``python -m benchmarks.first_lesson`` plays the notebook's burst twenty times live, each time without and with the
limit on the same tape, with another seed each time. The sign must hold in at least nineteen.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks._bar import Figure, main, say
from benchmarks._live import play
from demo_workers.records.measures import requests_in_time
from demo_workers.stack import Stack
from lessons.start_here import LIMIT, WORKERS, Chirp

RUNS = 20
LEAST_SHARE = 0.95


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all and tell a row of each."""
    stack = Stack("first_lesson")
    gained = []
    try:
        await stack.start(WORKERS)
        chirp = Chirp(stack, (await stack.calibrate(WORKERS)).overhead_s)
        say(f"{stack.redis.name}; RQ's cost per job {chirp.overhead_s * 1000:.1f} ms; {chirp.capacity:.1f} posts/s")
        say(f"{'seed':>6} {'requests':>9} {'in time, no limit':>18} {f'in time, limit {LIMIT}':>18} {'refused':>8}")
        for seed in range(options.first_seed, options.first_seed + options.rounds):
            before, after = [
                await play(stack, chirp.burst(limit=limit, short=not options.full, seed=seed))
                for limit in (None, LIMIT)
            ]
            a, b = requests_in_time(before), requests_in_time(after)
            refused = after.ledger.counts["requests_refused"]
            say(f"{seed:>6} {len(after.requests):>9} {a:>18} {b:>18} {refused:>8}")
            gained.append(b - a)
    finally:
        await stack.stop()
    against = "no limit, same tape"
    return [
        Figure.share(
            f"limit {LIMIT} serves more in time", [more > 0 for more in gained], against=against, at_least=LEAST_SHARE
        ),
        Figure.of("more served in time", gained, against=against, unit="posts"),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--full", action="store_true", help="the twenty-second form instead of the short one")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=RUNS, options=add_options))
