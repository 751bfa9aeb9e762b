"""What RQ and the machine cost per job beside its service time: means, or a sample that jobs draw theirs from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from lessons.theory.bounds import number
from lessons.theory.predicting import MOST_OVERHEAD_S

if TYPE_CHECKING:
    from demo_workers.stack.calibration import Calibration

T = TypeVar("T")
Cost = tuple[float, float, float]
"""Of one job: before, stretch, after (seconds)."""


BLOCKS = 8
"""Stretches into which a sample is cut to be drawn anew."""


@dataclass(frozen=True, kw_only=True)
class Overheads:
    """All in seconds; nothing costs anything unless it is given.

    Attributes:
        before_s: from when a worker has taken a job to the start of its function.
        stretch_s: how much longer the function takes than was asked for: clocks and schedulers round up.
        after_s: from the function's end to where its worker can take the next job. It is no part of the sojourn.
        slot_s: how long of that the job still holds its slot; None: as long as the worker.
        pickup_s: from admission to when a worker that waits for work has taken the job.
        costs: of measured jobs, in the order of time: each job of the twin then has one of these, drawn by its number,
            in place of the first three.
        pickups_s: measured ones, drawn likewise in place of ``pickup_s``.
        seed: another one draws anew.
    """

    before_s: float = 0.0
    stretch_s: float = 0.0
    after_s: float = 0.0
    slot_s: float | None = None
    pickup_s: float = 0.0
    costs: Sequence[Cost] = ()
    pickups_s: Sequence[float] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("before_s", "stretch_s", "after_s", "slot_s", "pickup_s"):
            value = getattr(self, name)
            if value is not None:
                number(f"overhead_{name}", value, high=MOST_OVERHEAD_S)
        for name in ("costs", "pickups_s"):
            for value in np.ravel(getattr(self, name)).tolist():
                number(f"overhead_{name}", value, high=MOST_OVERHEAD_S)

    @classmethod
    def measured(cls, found: Calibration) -> Overheads:
        """As they were measured on this machine, with all that was measured to draw from."""
        return cls(
            before_s=found.overhead_before_s,
            stretch_s=found.stretch_s,
            after_s=found.overhead_after_s,
            slot_s=found.slot_s,
            pickup_s=found.pickup_s,
            costs=found.samples,
            pickups_s=found.pickups_s,
        )

    def redrawn(self, seed: int) -> Overheads:
        """Another sample out of this one, from which each job draws another one.

        So two of them differ by what the measured jobs leave unknown, and by who meets which. What makes one job
        dearer is mostly there for the next one as well, so stretches of the sample are drawn and not single jobs.

        Source: moving blocks, here side by side (H. R. Künsch, "The jackknife and the bootstrap for general stationary
        observations", Annals of Statistics 17, 1989).
        """
        dice = np.random.default_rng(seed)
        return replace(self, costs=_redrawn(self.costs, dice), pickups_s=_redrawn(self.pickups_s, dice), seed=seed)

    @property
    def plain(self) -> bool:
        """Whether there is nothing but a time before each function, and one after it that holds worker and slot."""
        whole = self.slot_s is None or self.slot_s >= self.after_s
        return whole and not (self.costs or self.pickups_s or self.stretch_s or self.pickup_s)

    def rows(self) -> list[tuple[float, float, float, float]]:
        """What a job may cost: before, stretch, after, and for how long it holds its slot after the function."""
        share = 1.0 if self.slot_s is None or self.after_s == 0 else min(self.slot_s / self.after_s, 1.0)
        costs = self.costs or [(self.before_s, self.stretch_s, self.after_s)]
        return [(before_s, stretch_s, after_s, after_s * share) for before_s, stretch_s, after_s in costs]


def _redrawn(sample: Sequence[T], dice: np.random.Generator) -> Sequence[T]:
    blocks = min(BLOCKS, len(sample))
    cuts = np.linspace(0, len(sample), blocks + 1).astype(int)
    drawn = [int(dice.integers(blocks)) for _ in range(blocks)]
    return [one for block in drawn for one in sample[cuts[block] : cuts[block + 1]]]
