"""The exercise: when to try again, and when not. Graded in the twin, and tried in the running system."""

from __future__ import annotations

import asyncio

from demo_workers.policies.custom import Failure
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack.custom_policies import NextTry
from lessons.check import grading
from lessons.check.grading import Compared
from lessons.load_chapter import SERVICE_S, patiently
from lessons.retries.lesson import WORKERS, Lesson
from lessons.twin.simulate import simulate

CLASS_SEED = 2026
TAPES = 3
CAPACITY = WORKERS / SERVICE_S
"""Of the twin, which is given no cost of RQ's here, so that a grade is the same on every machine."""

LIMIT = 20
"""Within patience: whoever is let in is served in time."""

PATIENCE_S, DEADLINE_S, ATTEMPTS = 1.0, 6.0, 10
BUDGET = 0.6
"""Retries that all people together have, per request: enough to bring back whom the burst had refused, once each."""

CALM, BURST = 0.6, 2.4
"""Arrivals as a multiple of what the workers can do."""

BURST_START_S, BURST_S, DAY_S = 2.0, 3.0, 14.0
LIVE_SCALE = 0.3
"""The live day is so much shorter, its burst likewise."""
SWAP_S, LOOK_S = 1.0, 0.02
"""When the reader's policy takes over, in the middle of the live day's burst, and how often the clock is looked at."""


def at_once(failure: Failure) -> float | None:
    """What many programs do: again at once."""
    return 0.0


def reference(failure: Failure) -> float | None:
    """Some moment in the second half of the time that is left, if there is enough for one more attempt."""
    if failure.time_left_s is None:
        return failure.rng.uniform(1.0, 5.0)
    left_s = failure.time_left_s - PATIENCE_S
    return failure.rng.uniform(left_s / 2, left_s) if left_s > 0 else None


def day(seed: int, *, work_s: float = SERVICE_S, capacity: float = CAPACITY, scale: float = 1.0) -> Scenario:
    """A burst between two calm stretches, from people who wait a second per attempt and six in all.

    Args:
        seed: the tape's seed.
        work_s: mean length of the work, seconds.
        capacity: cμ, per second.
        scale: length of the day and of its burst, as a share of the whole ones.
    """
    load = Load(
        kind="spike",
        arrival_rate=CALM * capacity,
        spike_rate=BURST * capacity,
        spike_start_s=scale * BURST_START_S,
        spike_length_s=scale * BURST_S,
        duration_s=scale * DAY_S,
    )
    retry = Retry(attempts=ATTEMPTS, timeout_s=PATIENCE_S, deadline_s=DEADLINE_S, budget_ratio=BUDGET)
    return Scenario(
        load=load,
        service=Service(service_time_s=work_s, workers=WORKERS),
        admission=Admission(limit=LIMIT),
        retry=retry,
        seed=seed,
    )


def compare_retries(next_try: NextTry, *, class_seed: int = CLASS_SEED) -> Compared:
    """Play the same days in the twin with retries at once, with the reader's, and with the reference.

    Args:
        next_try: the reader's policy.
        class_seed: the class's number; another one gives other days.
    """

    def play(policy: NextTry, seed: int) -> Run:
        return simulate(day(seed), next_try=policy, engine="python")

    return grading.compare(
        play, at_once, next_try, reference, class_seed=class_seed, tapes=TAPES, capacity=CAPACITY
    )  # fmt: skip


def show_grade(compared: Compared) -> None:
    """Print the report."""
    print(grading.sentence(*compared))


async def try_live(lesson: Lesson, next_try: NextTry) -> Run:
    """A short day on the real system. It begins with retries at once; the reader's policy takes over in mid-run.

    Raises:
        PolicyError: the function raised, did not return in time, or returned nonsense.
    """
    run = await patiently(lambda: _swapped(lesson, next_try))
    counts = run.ledger.counts
    print(f"live: {counts['requests']} people, {requests_in_time(run)} served, {counts['attempts']} attempts")
    print("the books balance" if run.ledger.balanced else run.ledger.table())
    return run


async def _swapped(lesson: Lesson, next_try: NextTry) -> Run:
    scenario = day(7, work_s=lesson.work_s, capacity=lesson.capacity, scale=LIVE_SCALE)
    live = await lesson.stack.begin(scenario.steered(retry_policy="immediate", honour_retry_after=False))
    while live.now() < SWAP_S and not live.over:
        await asyncio.sleep(LOOK_S)
    await live.use(next_try=next_try)
    return await live.finished()
