"""The exercises: a percentile that does not lie, graded on freezes that nobody has seen; and a share to compute.

The freezes are arithmetic, not a system: a service that answers at once after a fixed time, except that it stands still
once. So what its users met is known to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from lessons.check import grading
from lessons.trade_offs.break_even import a_like
from lessons.trade_offs.freeze import percentile
from lessons.trade_offs.lesson import Lesson

CLASS_SEED = 2026
TAPES = 3
TEST_S, INTERVAL_S = 60.0, 0.01
SHARE = 0.99

Correct = Callable[[Sequence[float], float], Sequence[float]]
"""(latencies in the order of sending, seconds from one request to the next as planned) → latencies."""


class Freeze(NamedTuple):
    """What was written down of a service that stood still once, in seconds.

    Attributes:
        tester: latencies of a tester who sends the next request when the answer is there, or when it is due.
        users: latencies of everybody who wanted to send, one per interval.
    """

    tester: list[float]
    users: list[float]


def freeze(seed: int) -> Freeze:
    """A minute, a hundred requests per second planned, and one freeze of one to twenty seconds somewhere in it."""
    dice = Random(seed)
    service_s, length_s = dice.uniform(0.001, 0.008), dice.uniform(1.0, 20.0)
    start_s = dice.uniform(5.0, TEST_S - length_s - 5.0)
    end_s = start_s + length_s

    def latency(sent_s: float) -> float:
        return (end_s - sent_s if start_s <= sent_s + service_s and sent_s < end_s else 0.0) + service_s

    users = [latency(n * INTERVAL_S) for n in range(int(TEST_S / INTERVAL_S))]
    tester, sent_s = [], 0.0
    while sent_s < TEST_S:
        tester.append(latency(sent_s))
        sent_s += max(INTERVAL_S, tester[-1])
    return Freeze(tester, users)


def naive(latencies: Sequence[float], interval_s: float) -> Sequence[float]:
    """As they were written down."""
    return latencies


def reference(latencies: Sequence[float], interval_s: float) -> Sequence[float]:
    """Whoever should have been sent while one request was out would have waited for the rest of it.

    Source: Gil Tene's correction for coordinated omission, ``recordValueWithExpectedInterval`` of HdrHistogram.
    """
    filled = []
    for latency in latencies:
        while latency > 0:
            filled.append(latency)
            latency -= interval_s
    return filled


def closeness(correct: Correct, seeds: Sequence[int]) -> float:
    """How near the corrected p99 comes to the users', on average: 1 is equal, a half is half or twice as much."""
    near = []
    for seed in seeds:
        found = freeze(seed)
        mine = percentile(list(correct(found.tester, INTERVAL_S)) or [0.0], SHARE)
        users = percentile(found.users, SHARE)
        near.append(min(mine, users) / max(mine, users))
    return sum(near) / len(near)


def grade_percentile(correct: Correct, *, class_seed: int = CLASS_SEED) -> None:
    """Print the reader's correction between none at all and the reference.

    Args:
        correct: the reader's.
        class_seed: the class's number; another one gives other freezes.
    """
    seeds = grading.seeds(class_seed, TAPES)
    shares = [closeness(one, seeds) for one in (naive, correct, reference)]
    figures = " · ".join(f"{name} {100 * share:.0f}" for name, share in zip(NAMES, shares, strict=True))
    print(f"{figures} % of the users' p99. {_band(*shares)}")


NAMES = ("as written down", "you", "reference")


def _band(none: float, yours: float, best: float) -> str:
    reach = (yours - none) / (best - none)
    bands = ((0.95, "As good as the reference."), (0.5, "More than half of the way."), (0.02, "A little better."))
    return next((text for least, text in bands if reach >= least), "It still hides the freeze.")


async def show_share(lesson: Lesson, work_s: float) -> None:
    """Print what part of the wait is the queue's doing for so much work, with what it adds to a like here.

    Args:
        lesson: has measured a like, or does it now.
        work_s: the work, seconds.
    """
    like = await a_like(lesson)
    more_s = like.queued_s - like.inline_s
    print(f"the queue adds {1000 * more_s:.1f} ms here: {more_s / (work_s + more_s):.0%} of the wait")
