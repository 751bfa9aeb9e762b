"""Erlang's two formulas: the share refused when nobody may wait (B), the share that waits when everybody may (C).

``offered_load`` is a = λS, the mean number of workers that the work alone would keep busy.

Source: A. K. Erlang, 1917; the recursion and C from B as in Gross, Shortle, Thompson and Harris, "Fundamentals of
Queueing Theory", chapter on birth-death queues.
"""

from __future__ import annotations

import math

from demo_workers.errors import UnstableQueue
from lessons.theory.bounds import number, whole


def b(workers: int, offered_load: float) -> float:
    """Erlang B, the probability that all workers are busy in M/M/c/c (and in M/G/c/c: only the mean matters).

    B(0) = 1, B(k) = aB(k − 1)/(k + aB(k − 1)): no factorials, so no overflow.

    Raises:
        ScenarioError: fewer than one worker, or a negative load.
    """
    a, blocked = number("offered_load", offered_load), 1.0
    for k in range(1, whole("workers", workers) + 1):
        blocked = a * blocked / (k + a * blocked)
    return blocked


def c(workers: int, offered_load: float) -> float:
    """Erlang C, the probability that an arrival waits in M/M/c: B/(1 − ρ(1 − B)) with ρ = a/c.

    Raises:
        ScenarioError: fewer than one worker, or a negative load.
        UnstableQueue: the load is at or above the number of workers.
    """
    blocked = b(workers, offered_load)
    if offered_load >= workers:
        raise UnstableQueue(
            f"offered_load = {offered_load:g}: must be below workers = {workers}, or the wait grows for ever. "
            f"Use at least {math.floor(offered_load) + 1} workers, or less work."
        )
    return blocked / (1 - offered_load / workers * (1 - blocked))
