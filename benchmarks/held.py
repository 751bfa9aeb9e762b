"""Does a killed consumer of notebook 01 take its message with it, and do both repairs bring it back, every time?

``python -m benchmarks.held`` plays section b again and again on the real thing: five posts, a consumer that is killed
with one of them in its hands, another consumer. From a plain list the post must be gone; from a list with a reaper and
from a stream it must come again.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout

from benchmarks._bar import Figure, main, say
from benchmarks._claims import holds
from demo_workers.brokers.losses import Loss
from lessons import message_queues
from lessons.message_queues.lesson import make_lesson

ROUNDS = 20
LEAST_SHARE = 0.95


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all and tell a row of each."""
    lesson = make_lesson("held")
    gone, repaired = [], []
    try:
        await lesson.start()
        for number in range(options.rounds):
            with redirect_stdout(sys.stderr):  # standard output is for figures
                killed = await message_queues.kill_a_consumer(lesson)
                both = await message_queues.kill_repaired(lesson)
            gone.append(holds(message_queues.check_killed, killed))
            repaired.append(holds(message_queues.check_repaired, both))
            books = [killed.loss, *(one.loss for one in both)]
            say(f"round {number + 1} of {options.rounds}: lost {', '.join(map(_lost, books))}")
    finally:
        await lesson.stack.stop()
    against = "what notebook 01 says of it"
    return [
        Figure.share("BRPOP: the post is gone", gone, against=against, at_least=LEAST_SHARE),
        Figure.share("reaper, stream: it comes again", repaired, against=against, at_least=LEAST_SHARE),
    ]


def _lost(loss: Loss) -> str:
    return f"{loss.lost} of {loss.acknowledged}"


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=ROUNDS))
