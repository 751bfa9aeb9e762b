"""Grades what a reader wrote: how many people it served in time on tapes that nobody could tune to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, TypeVar

import numpy as np

from demo_workers.records.events import ClientOutcome
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.tape import profile

Policy = TypeVar("Policy")

LATE_IN_A_ROW = 3
"""One late answer is bad luck; so many after each other are a failure."""


class Grade(NamedTuple):
    """What a policy reached on some tapes.

    Attributes:
        share: people in time, as a share of those whom the workers could have served.
        failed_s: when the first row of late answers began, on the tape where that was earliest (seconds); None if
            there was none.
    """

    share: float
    failed_s: float | None


class Compared(NamedTuple):
    """Three policies on the same tapes."""

    naive: Grade
    yours: Grade
    reference: Grade


def compare(
    play: Callable[[Policy, int], Run],
    naive: Policy,
    yours: Policy,
    reference: Policy,
    *,
    class_seed: int,
    tapes: int,
    capacity: float,
) -> Compared:
    """Play the tapes of a class with each of three policies.

    Args:
        play: plays one policy on the tape of one seed.
        naive: what the reader is to be better than.
        yours: the reader's.
        reference: what can be reached.
        class_seed: the instructor's number.
        tapes: how many.
        capacity: cμ, per second.
    """
    days = seeds(class_seed, tapes)
    return Compared(*(grade([play(one, day) for day in days], capacity) for one in (naive, yours, reference)))


def seeds(class_seed: int, count: int) -> list[int]:
    """Seeds for the tapes of a class: the same for everybody in it, and new with each number.

    Args:
        class_seed: the instructor's number.
        count: how many tapes.
    """
    dice = Random(class_seed)
    return [dice.randrange(2**31) for _ in range(count)]


def feasible(run: Run, capacity: float) -> float:
    """About how many people the workers could have served: in each stretch all who came, or what the workers can do.

    What came at the end of a stretch may be served within patience after it: that of one attempt, or, where people may
    try again, the deadline of all. The work of a tape may be a little more or
    less than its average says, so a very good policy can reach a little more than all of this.

    Args:
        run: the tape, with whatever was made of it.
        capacity: cμ, per second.
    """
    retry = run.scenario.retry
    patience_s = (retry.deadline_s if retry.attempts > 1 else None) or retry.timeout_s or 0.0
    due, served = run.requests["due_s"], 0.0
    for stretch in profile(run.scenario.load):
        end = min(stretch.end_s, run.length_s)
        came = np.sum((due >= stretch.start_s) & (due < end))
        served += min(float(came), capacity * (max(0.0, end - stretch.start_s) + patience_s))
    return served


def grade(runs: Sequence[Run], capacity: float) -> Grade:
    """All tapes together.

    Args:
        runs: one per tape.
        capacity: cμ, per second.
    """
    in_time = sum(map(requests_in_time, runs))
    failures = [t for t in map(failed_s, runs) if t is not None]
    return Grade(in_time / sum(feasible(run, capacity) for run in runs), min(failures, default=None))


def failed_s(run: Run) -> float | None:
    """When several people in a row, of those who were let in, gave up waiting; None if that never was."""
    rows = run.requests[run.requests["client_outcome"] != ClientOutcome.REFUSED]
    late = rows["client_outcome"] == ClientOutcome.TIMED_OUT
    for first in range(len(rows) - LATE_IN_A_ROW + 1):
        if late[first : first + LATE_IN_A_ROW].all():
            return float(rows["due_s"][first])
    return None


def sentence(naive: Grade, yours: Grade, reference: Grade) -> str:
    """The report: a comparison, a band, and the moment it failed."""
    when = "It never failed." if yours.failed_s is None else f"It failed at second {yours.failed_s:.1f}."
    return f"{comparison(naive.share, yours.share, reference.share)} {when}"


def comparison(naive: float, yours: float, reference: float) -> str:
    """Three shares of the feasible side by side, and the band that the reader's is in."""
    figures = " · ".join(
        f"{name} {100 * share:.0f}" for name, share in (("naive", naive), ("you", yours), ("reference", reference))
    )
    reach = (yours - naive) / max(reference - naive, 1e-9)
    bands = ((0.95, "As good as the reference."), (0.5, "More than half of the way."), (0.02, "Better than no rule."))
    band = next((text for least, text in bands if reach >= least), "No better than no rule.")
    return f"{figures} % of the feasible. {band}"
