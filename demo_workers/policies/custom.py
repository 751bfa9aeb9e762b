"""What a policy written in a notebook's cell is told, and what it may answer.

``next_try(failure)`` returns the seconds to wait before the next attempt, or None to give up. ``admit(state)`` returns
whether the request may ask for a place; the limit holds all the same, so it can only make the door narrower.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple


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
