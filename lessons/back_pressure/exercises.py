"""The exercises: a door of one's own, and a limit from a promise."""

from __future__ import annotations

import numpy as np

from demo_workers.policies.custom import Door
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack.custom_policies import Admit
from lessons.back_pressure.lesson import PATIENCE_S, WORKERS, Lesson
from lessons.check import grading
from lessons.check.grading import Compared
from lessons.load_chapter import SERVICE_S
from lessons.twin.simulate import simulate

CLASS_SEED = 2026
TAPES = 3
LIMIT = 100
"""The gateway's own limit in the exercise: far beyond patience."""

CAPACITY = WORKERS / SERVICE_S
"""Of the twin, which is given no cost of RQ's here, so that a grade is the same on every machine."""

PROMISE_JOBS = 4000


def always(state: Door) -> bool:
    """No rule: everybody may ask for a place."""
    return True


def reference(state: Door) -> bool:
    """Let in whoever will be served within three quarters of the patience, as far as Little's law can tell."""
    if state.expected_wait_s is None or state.time_left_s is None:
        return state.depth < WORKERS
    return state.expected_wait_s < 0.75 * state.time_left_s


def day(seed: int) -> Scenario:
    """A burst of twice the capacity between two calm stretches, behind a limit that is too long."""
    load = Load(
        kind="spike",
        arrival_rate=0.75 * CAPACITY,
        spike_rate=2 * CAPACITY,
        spike_start_s=2.0,
        spike_length_s=4.0,
        duration_s=12.0,
    )
    return Scenario(
        load=load,
        service=Service(service_time_s=SERVICE_S, workers=WORKERS),
        admission=Admission(limit=LIMIT),
        retry=Retry(policy="none", timeout_s=PATIENCE_S),
        seed=seed,
    ).replace("admission.policy", "custom")


def compare_doors(admit: Admit, *, class_seed: int = CLASS_SEED) -> Compared:
    """Play the same days in the twin with no rule, with the reader's, and with the reference.

    Args:
        admit: the reader's door.
        class_seed: the class's number; another one gives other days.
    """

    def play(door: Admit, seed: int) -> Run:
        return simulate(day(seed), admit=door, engine="python")

    return grading.compare(
        play, always, admit, reference, class_seed=class_seed, tapes=TAPES, capacity=CAPACITY
    )  # fmt: skip


def show_grade(doors: Compared) -> None:
    """Print the report."""
    print(grading.sentence(*doors))


async def try_live(lesson: Lesson, admit: Admit) -> Run:
    """The reader's door in the real gateway, three seconds at twice the capacity; prints what came of it.

    Raises:
        PolicyError: the function raised, did not return in time, or returned no bool.
    """
    run = await lesson.play(lesson.overloaded(LIMIT), admit=admit)
    counts = run.ledger.counts
    print(f"live: {counts['requests']} posts came, {requests_in_time(run)} in time, {counts['shed']} refused")
    print("the books balance" if run.ledger.balanced else run.ledger.table())
    return run


def try_promise(limit: int) -> None:
    """Print how long posts stay in the twin when ``limit`` may be inside and twice the capacity comes.

    Args:
        limit: most jobs inside.
    """
    load = Load(arrival_rate=2 * CAPACITY, duration_s=PROMISE_JOBS / (2 * CAPACITY))
    service = Service(service_time_s=SERVICE_S, workers=WORKERS)
    measures = simulate(
        Scenario(load=load, service=service, admission=Admission(limit=limit), seed=3), engine="python"
    ).measures  # fmt: skip
    numbers = [np.nan if value is None else value for value in (measures.sojourn_s, measures.sojourn_p95_s)]
    print(
        f"limit {limit}: a post stays for {numbers[0]:.2f} s on average; 95 of 100 are done within {numbers[1]:.2f} s"
    )
