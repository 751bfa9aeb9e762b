"""Section e: Little's law on one's own run, then as a tool: how long will I wait, from what I see when I join?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from demo_workers.records.run import Run
from lessons.back_pressure.journeys import journeys
from lessons.back_pressure.lesson import PATIENCE_S, Lesson
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.theory.little import sojourn_s

FROM_S = 1.0
"""Averages begin here: the queue is full by then."""

FEW = 5
"""Those who met so few inside say little: whether one worker is free decides."""


class Law(NamedTuple):
    """The three quantities, each by whoever can know it.

    Attributes:
        looked: L as Redis was seen ten times a second.
        rate: λ, posts let in per second, as the script admitted them.
        stay_s: W, mean time inside, from the record of single posts.
    """

    looked: float
    rate: float
    stay_s: float

    @property
    def by_law(self) -> float:
        """λW."""
        return self.rate * self.stay_s


async def a_run(lesson: Lesson, limit: int | None) -> Run:
    """The run with this limit that the notebook kept; if there is none yet, one is played now, a few seconds long.

    Args:
        lesson: where it was kept.
        limit: most jobs inside; None is the run without a limit.
    """
    if limit not in lesson.kept:
        patience_s = None if limit is None else PATIENCE_S
        lesson.keep(await lesson.play(lesson.overloaded(limit, patience_s=patience_s)))
    return lesson.kept[limit]


def law(run: Run) -> Law:
    """L, λ and W of a live run, from the moment its queue is full to the end of the load."""
    end = run.length_s
    assert run.witnesses is not None  # a live run has them
    seen = [inside for t, _, inside in run.witnesses.samples if FROM_S <= t < end]
    posts = journeys(run)
    stays = (posts.left_s - posts.came_s)[(posts.came_s >= FROM_S) & (posts.came_s < end)]
    return Law(float(np.mean(seen)), len(stays) / (end - FROM_S), float(np.nanmean(stays)))


def show_little(run: Run) -> None:
    """Print L as Redis was seen, and λW from the record."""
    found = law(run)
    print(f"Redis, looked at ten times a second: on average {found.looked:.1f} posts inside")
    print(f"let in: {found.rate:.1f} posts per second; a post stayed for {found.stay_s:.3f} s on average")
    print(f"λ × W = {found.rate:.1f} × {found.stay_s:.3f} = {found.by_law:.1f}")


def guesses(lesson: Lesson, run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each post let in: its stay as one could have guessed it at the door (W = L/λ), and as it came (seconds).

    The guess needs two numbers that anybody can see: how many are inside, and how many the workers finish per second.
    """
    posts = journeys(run)
    told = (posts.depth > FEW) & ~np.isnan(posts.finished_s)
    guessed = [sojourn_s(float(depth), lesson.capacity) for depth in posts.depth[told]]
    return np.array(guessed), (posts.finished_s - posts.came_s)[told]


def show_tool(lesson: Lesson, run: Run) -> None:
    """Each post as a dot: guessed and real time inside."""
    guessed, came = guesses(lesson, run)
    top = float(max(np.max(guessed), np.max(came))) * 1.05
    series = [charts.curve("guess and truth are equal", [0, top], [0, top]), charts.dots("a post", guessed, came)]
    display(charts.chart("How long will I stay? Guessed at the door, and as it came", series,
                         x="guess: posts inside / posts done per second [s]", y="time inside [s]"))  # fmt: skip
    print(f"{len(came)} posts; half of the guesses were off by less than {np.median(_off(guessed, came)):.0%}")


def check_little(run: Run) -> None:
    """What section e says of the law.

    Raises:
        ClaimError: it is not so.
    """
    found = law(run)
    off = abs(found.by_law - found.looked) / found.looked
    check(
        Claim("what Redis held on average is arrival rate times average stay", off < 0.2, f"{found}"),
        Claim("the two sides were counted by different parties", run.witnesses is not None and run.source == "live",
              run.source),
    )  # fmt: skip


def check_tool(lesson: Lesson, run: Run) -> None:
    """What section e says of the guess at the door.

    Raises:
        ClaimError: it is not so.
    """
    guessed, came = guesses(lesson, run)
    check(
        Claim("half of the guesses were off by less than a third",
              float(np.median(_off(guessed, came))) < 1 / 3, f"{np.median(_off(guessed, came)):.2f}"),
        Claim("the guess is fair: on average it is neither too long nor too short",
              abs(float(np.mean(guessed)) / float(np.mean(came)) - 1) < 0.3, f"{np.mean(guessed)}, {np.mean(came)}"),
    )  # fmt: skip


def _off(guessed: NDArray[np.float64], came: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(guessed - came) / came)
