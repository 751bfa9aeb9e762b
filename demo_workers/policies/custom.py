"""What a policy written in a notebook's cell is told, and what it may answer.

``next_try(failure)`` returns the seconds to wait before the next attempt, or None to give up. ``admit(state)`` returns
whether the request may ask for a place; the limit holds all the same, so it can only make the door narrower.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from demo_workers.variates import Stream, variate

LONGEST_S = 3600.0
"""The longest wait that ``next_try`` may ask for (seconds)."""


class Failure(NamedTuple):
    """An attempt that failed, as its client sees it.

    Attributes:
        attempt: its number, counted from 1.
        previous_s: the wait before it (seconds; 0 for the first).
        retry_after_s: what a refusal asked for (seconds), if it did.
        time_left_s: until the request's deadline (seconds), if it has one.
        budget_left: retries that the budget would still pay for, if there is one.
        reason: ``refused``, ``timed_out``, ``errored`` or ``held_back`` (by a guard of the client's own).
        rng: dice keyed by (seed, request, attempt), so that the live system and the twin throw the same.
    """

    attempt: int
    previous_s: float
    retry_after_s: float | None
    time_left_s: float | None
    budget_left: float | None
    reason: str
    rng: Random


class Door(NamedTuple):
    """What the gateway knows when a request asks to come in.

    Attributes:
        now_s: seconds since the run's origin.
        depth: jobs waiting and running, as last heard.
        limit: the limit in force, if any.
        drain_rate: jobs finished per second lately; None while nothing has finished.
        expected_wait_s: depth over drain rate, None while that is unknown.
        time_left_s: how long the client will wait for the answer (seconds), if it said.
        client: the client's number, -1 if it did not say.
        urgent: whether the request is urgent.
    """

    now_s: float
    depth: int
    limit: int | None
    drain_rate: float | None
    expected_wait_s: float | None
    time_left_s: float | None
    client: int
    urgent: bool


def dice(seed: int, request: int, attempt: int) -> Random:
    """The ``rng`` of a failure: the same for the same attempt, in the live system and in the twin."""
    return Random(int(variate(seed, Stream.JITTER, request, attempt) * 2**53))


def checked_wait(answer: object) -> float | None:
    """What ``next_try`` returned, as seconds or None.

    Raises:
        ValueError: it is neither; says what must be returned.
    """
    if answer is None:
        return None
    bound = f"must be seconds from 0 to {LONGEST_S:g}, or None to give up"
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        raise ValueError(f"{answer!r}: {bound}. Return a number.")
    if math.isnan(answer) or not 0 <= answer <= LONGEST_S:
        raise ValueError(f"{answer!r}: {bound}. Check the sign and the unit.")
    return float(answer)


def checked_yes(answer: object) -> bool:
    """What ``admit`` returned, as a bool.

    Raises:
        ValueError: it is none; says what must be returned.
    """
    if not isinstance(answer, bool):
        raise ValueError(f"{answer!r}: must be True or False. Return a comparison, for example state.depth < 10.")
    return answer


FAILURES = (
    Failure(1, 0.0, None, None, None, "timed_out", Random(1)),
    Failure(1, 0.0, 0.25, 3.0, None, "refused", Random(2)),
    Failure(2, 0.1, 1.0, None, 4.0, "refused", Random(3)),
    Failure(3, 0.4, None, 0.05, 0.0, "errored", Random(4)),
    Failure(9, 10.0, None, 0.0, 0.0, "held_back", Random(5)),
)
"""What ``next_try`` is tried on before it is let near a run."""

DOORS = (
    Door(0.0, 0, None, None, None, None, -1, urgent=False),
    Door(1.5, 3, 20, 40.0, 0.075, 1.0, 7, urgent=False),
    Door(9.0, 20, 20, 55.5, 0.36, 0.2, 99, urgent=True),
    Door(60.0, 5000, None, 0.2, 25_000.0, None, 0, urgent=False),
)
"""What ``admit`` is tried on before it is let near a run."""
