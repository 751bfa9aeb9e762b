"""Section d: one short live run, theory and the twin over each other, and what the gaps between them mean."""

from __future__ import annotations

from IPython.display import display

from demo_workers.errors import LabError
from lessons.back_pressure.hockey_stick import Point, cost
from lessons.check.claims import Claim, check
from lessons.check.gaps import Gaps, gaps
from lessons.show.overlay import overlay
from lessons.theory import Prediction, predict
from lessons.twin.family import twins_of

TAPES = 16


def lay_over(point: Point) -> Gaps:
    """Show theory, the twin on the run's own tape and on other tapes, and the live run; returns the gaps.

    All of them are given what RQ cost per job in this very run.
    """
    spent = cost(point.run)
    theory: Prediction | LabError
    try:
        theory = predict(point.run.scenario, overhead_before_s=spent.before_s, overhead_after_s=spent.after_s)
    except LabError as error:  # a machine so busy that one worker cannot keep up
        theory = error
    runs = (*twins_of(point.run, seeds=TAPES, overheads=spent), point.run)
    display(overlay(theory, *runs))
    return gaps(theory, *runs)


def check_gaps(found: Gaps) -> None:
    """What section d says of the gaps.

    Raises:
        ClaimError: it is not so.
    """
    inside, through = found["in_system"], found["throughput"]
    numbers = f"{inside}; {through}"
    luck = inside.luck.one_more if inside.luck else 0.0
    live, twin, mean = inside.live or 0.0, inside.twin or 0.0, inside.mean or 0.0
    check(
        Claim("live and its twin finish about as many posts per second",
              abs((through.live or 0.0) - (through.twin or 0.0)) < 0.2 * (through.twin or 0.0), numbers),
        Claim("another tape would change more than what the twin misses", abs(live - twin) < luck, numbers),
        Claim("on average so short a run, begun empty, is not above what the formula says",
              inside.theory is None or mean < 1.2 * inside.theory, numbers),
    )  # fmt: skip
