"""The twin's own noise: between which values a measure lies when every job draws its overhead anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import Engine, simulate

TIMES = 16
"""Drawings: enough to know a standard deviation to a fifth of itself."""
STANDARD_DEVIATIONS = 2.0
"""Some 95 of 100 drawings lie within so many of the mean."""


class Spread(NamedTuple):
    """A measure over all drawings: its mean, and by how much a single one may be off for no other reason."""

    mean: float
    half_width: float


def spreads(
    what: Scenario | Run, overheads: Overheads, *, times: int = TIMES, engine: Engine = "auto"
) -> dict[str, Spread]:
    """Play the same tape again and again, each time with other overheads out of the same sample.

    Args:
        what: as of ``simulate``.
        overheads: with the sample that was measured; without one all drawings are the same, and no spread is left.
        times: how many drawings, at least two.
        engine: as of ``simulate``.

    Returns:
        By the names of ``Measures``; those are left out that did not apply in some drawing.
    """
    runs = (simulate(what, overheads=overheads.redrawn(seed), engine=engine) for seed in range(times))
    drawn = [run.measures.to_dict() for run in runs]
    found = {}
    for name in drawn[0]:
        values = [measures[name] for measures in drawn]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            found[name] = Spread(float(np.mean(known)), STANDARD_DEVIATIONS * float(np.std(known, ddof=1)))
    return found
