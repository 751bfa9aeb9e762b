"""Section b, the star: limits of 6, 20, 40 and 100 at twice the capacity, for clients that wait one second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from IPython.display import display

from demo_workers.records.events import ClientOutcome
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from lessons.back_pressure.journeys import journeys
from lessons.back_pressure.lesson import FULL_S, LIMITS, OVERLOAD, PATIENCE_S, WORKERS, Lesson
from lessons.back_pressure.overload import books
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.show.panel import Panel
from lessons.theory import patience

FILLED_S = 2.0
"""After this even a hundred places are full, at twice the capacity."""

SETTLED_S = 0.5
"""After this all workers are busy."""

GHOSTS = 100
"""The limit beyond patience."""


class Served(NamedTuple):
    """What one limit did on one tape.

    Attributes:
        in_time: posts answered in time, over the whole run.
        rate: those per second of the people who came once the queue was full.
        throughput: posts done per second, in time or not.
        refused_share: of those who came.
        sojourn_s: mean time inside of those let in, once full (seconds).
    """

    in_time: int
    rate: float
    throughput: float
    refused_share: float
    sojourn_s: float


def served(run: Run) -> Served:
    """Read off a run of ``Lesson.overloaded`` whom its limit served."""
    ends, length, posts = run.requests, run.length_s, journeys(run)
    in_time = ends["client_outcome"] == ClientOutcome.SUCCEEDED
    stays = (posts.finished_s - posts.came_s)[posts.came_s >= FILLED_S]
    done = (posts.finished_s >= SETTLED_S) & (posts.finished_s < length)
    return Served(
        in_time=requests_in_time(run),
        rate=float(np.sum(in_time & (ends["due_s"] >= FILLED_S))) / (length - FILLED_S),
        throughput=float(np.sum(done)) / (length - SETTLED_S),
        refused_share=float(np.mean(ends["client_outcome"] == ClientOutcome.REFUSED)),
        sojourn_s=float(np.nanmean(stays)) if len(stays) else float("nan"),
    )


def twin_limits(
    lesson: Lesson, *, seeds: Sequence[int] = range(4), duration_s: float = FULL_S
) -> dict[int, list[Served]]:
    """Each limit in the twin, once per seed, all on the same tapes."""
    return {
        limit: [
            served(lesson.simulate(lesson.overloaded(limit, duration_s=duration_s, seed=seed))) for seed in seeds
        ]
        for limit in LIMITS
    }  # fmt: skip


def live_limits(lesson: Lesson) -> tuple[Panel, Panel]:
    """Two panels on one tape: limit 20, and limit 100 with the first run as a ghost. Start plays the full form."""
    scenario, long = (lesson.overloaded(limit, duration_s=FULL_S) for limit in (20, GHOSTS))
    short = Panel("03 limit 20", lesson.stack, scenario, open_ended=False, noun="posts",
                  question="Twice the capacity, 20 may be inside")  # fmt: skip
    question = "The same, but 100 may be inside: more posts in time, or fewer?"
    return short, Panel(
        "03 limit 100", lesson.stack, long, open_ended=False, ghost=short, question=question, noun="posts"
    )  # fmt: skip


def theory_rate(lesson: Lesson, limit: int) -> float:
    """In time per second in the long run, by the formula of M/M/c/K with patience; RQ's cost is part of the work."""
    return patience.in_time(lesson.arrival_rate, WORKERS / lesson.capacity, WORKERS, limit, PATIENCE_S).rate


def show_limits(lesson: Lesson, twin: Mapping[int, Sequence[Served]], *live: Run) -> None:
    """In time per second once full, over the limit: theory, the twin's mean with its range, and live runs as dots."""
    rates = {limit: [one.rate for one in ones] for limit, ones in twin.items()}
    every = range(WORKERS, GHOSTS + 8)
    series = [
        charts.curve("theory, M/M/c/K", every, [theory_rate(lesson, limit) for limit in every]),
        charts.spread("simulated twin", rates, joined=False),
    ]
    if live:
        points = {run.scenario.admission.limit or 0: [served(run).rate] for run in live}
        series.append(charts.measured("live, real RQ", points))
    title = "Once the queue is full: posts answered in time, per second"
    ticks = {float(limit): str(limit) for limit in LIMITS}
    display(charts.chart(title, series, x="limit K", y="posts per second", ticks=ticks))
    for limit, ones in twin.items():
        stays = np.mean([one.sojourn_s for one in ones])
        print(f"limit {limit:3d}: {np.mean(rates[limit]):5.1f} per second in time; the average stay is {stays:.2f} s")


def check_limits(lesson: Lesson, twin: Mapping[int, Sequence[Served]]) -> None:
    """What section b says of the twin.

    Raises:
        ClaimError: it is not so.
    """
    mean = {limit: float(np.mean([one.rate for one in ones])) for limit, ones in twin.items()}
    fewest = [ones[GHOSTS] < min(ones[limit] for limit in LIMITS[:-1]) for ones in _by_tape(twin, "in_time")]
    stays = {limit: float(np.mean([one.sojourn_s for one in ones])) for limit, ones in twin.items()}
    refused = [one.refused_share for limit in (6, 20) for one in twin[limit]]
    through = {limit: float(np.mean([one.throughput for one in ones])) for limit, ones in twin.items()}
    check(
        Claim("the longest queue serves the fewest in time, on every tape", all(fewest), f"{fewest}"),
        Claim("once it is full, it serves almost nobody in time", mean[GHOSTS] < 0.1 * lesson.capacity, f"{mean}"),
        Claim("the three others serve nearly what the workers can do",
              min(mean[limit] for limit in LIMITS[:-1]) > 0.85 * lesson.capacity, f"{mean}"),
        Claim("theory says the same for each of them",
              all(abs(mean[k] - theory_rate(lesson, k)) < 0.15 * lesson.capacity for k in LIMITS), f"{mean}"),
        Claim("a full queue's average stay is about limit / capacity",
              all(0.75 < stays[k] * lesson.capacity / k < 1.2 for k in LIMITS[1:]), f"{stays}"),
        Claim("the share that is refused is what the workers cannot do",
              abs(float(np.mean(refused)) - (1 - 1 / OVERLOAD)) < 0.1, f"{np.mean(refused):.2f}"),
        Claim("the workers do the same amount of work with any of the limits",
              max(through.values()) < 1.15 * min(through.values()), f"{through}"),
    )  # fmt: skip


def check_live_limits(short: Run, long: Run) -> None:
    """What section b says of the two live runs.

    Raises:
        ClaimError: it is not so.
    """
    few, many = served(short), served(long)
    same = len(short.requests) == len(long.requests) and bool(
        np.all(short.requests["due_s"] == long.requests["due_s"])
    )  # fmt: skip
    numbers = f"limit 20: {few}; limit 100: {many}"
    check(
        Claim("the very same posts came", same, "due times differ"),
        Claim("the longer queue served fewer in time", many.in_time < few.in_time, numbers),
        Claim("once it was full, it served almost nobody in time", many.rate < 0.2 * few.rate, numbers),
        Claim("its workers were as busy all the same", many.throughput > 0.7 * few.throughput, numbers),
        Claim("the books of both runs balance, and every witness agrees",
              short.ledger.balanced and long.ledger.balanced, f"{books(short).numbers}\n{books(long).numbers}"),
    )  # fmt: skip


def _by_tape(twin: Mapping[int, Sequence[Served]], name: str) -> list[dict[int, float]]:
    """One row per tape: the limit and what it did there."""
    count = min(len(ones) for ones in twin.values())
    return [{limit: getattr(ones[n], name) for limit, ones in twin.items()} for n in range(count)]
