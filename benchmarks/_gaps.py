"""How far a live run and its twin are apart, how far they may be, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from demo_workers.records.run import Run
from demo_workers.stack.calibration import Calibration, overhead
from lessons.check.gaps import Spread
from lessons.twin.family import redrawn_twins
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import simulate

NAMES = ("throughput", "shed_rate", "in_system", "sojourn_s")
RATES = ("throughput", "shed_rate")
EVENTS = 2
"""A rate is a whole number of events over the length of the window. One refusal more or less, or one job that ends on
the other side of the window's edge, is no finding about either system: so much is always allowed."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One measure.

    Attributes:
        name: of ``Measures``.
        live: what the live run has.
        twin: what the twins have that draw RQ's costs anew.
        bar: the difference that is allowed in any case.
    """

    name: str
    live: float
    twin: Spread
    bar: float

    @property
    def allowed(self) -> float:
        """The difference allowed: the bar, or the twin's spread where that is wider."""
        return max(self.bar, self.twin.one_more)

    @property
    def size(self) -> float:
        """The difference in units of what is allowed: agreement is at most 1."""
        return abs(self.live - self.twin.mean) / self.allowed

    @property
    def close(self) -> bool:
        """Whether it is within ``bar``, whatever the spread."""
        return abs(self.live - self.twin.mean) <= self.bar

    @property
    def relative(self) -> float:
        """The difference against the twin's value, which must not be 0."""
        return abs(self.live - self.twin.mean) / self.twin.mean

    def __str__(self) -> str:
        return f"{self.name} {self.live:.3g} against {self.twin.mean:.3g} ± {self.twin.one_more:.2g}"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One setting that was played in both systems; ``others`` is the share of the cores that other programs took."""

    live: Run
    calibrated: Calibration
    gaps: Sequence[Gap]
    others: float

    @property
    def agrees(self) -> bool:
        """Whether all measures do."""
        return self.worst.size <= 1

    @property
    def close(self) -> bool:
        """Whether all measures agree without any spread."""
        return all(gap.close for gap in self.gaps)

    @property
    def worst(self) -> Gap:
        """The measure that is furthest apart."""
        return max(self.gaps, key=lambda gap: gap.size)


def compare(live: Run, calibrated: Calibration, bar: float, others: float = 0.0) -> Compared:
    """Play a run's tape in the twin and measure both.

    Args:
        live: the run.
        calibrated: RQ's cost per job, measured before.
        bar: relative difference that is allowed where the twin's spread is not wider.
        others: share of the cores that other programs took meanwhile.
    """
    window_s = live.length_s - min(live.scenario.warmup, 0.9 * live.length_s)
    measured = live.measures.to_dict()
    twins = [twin.measures.to_dict() for twin in redrawn_twins(live, Overheads.measured(calibrated))]
    gaps = []
    for name in NAMES:
        value, values = measured[name], [found for twin in twins if (found := twin[name]) is not None]
        spread = Spread.of(values)
        if value is not None and spread is not None:
            least = EVENTS / window_s if name in RATES else 0.0
            gaps.append(Gap(name=name, live=value, twin=spread, bar=max(bar * spread.mean, least)))
    return Compared(live=live, calibrated=calibrated, gaps=gaps, others=others)


def explained(one: Compared) -> list[str]:
    """Where a gap comes from, in lines: RQ's cost in this very run, and what the twin says when it is told that.

    What is left may be a stall: other programs kept the whole system waiting at once, and the twin spreads that evenly.
    """
    known, own = one.calibrated, _own(one)
    lines = [f"other programs took {one.others:.0%} of the cores", f"RQ's cost in ms, calibrated {_costs(known)}"]
    if own.jobs == 0:
        return [*lines, "in this run no job had to wait, so what RQ costs cannot be told from it"]
    lines.append(f"            in this run {_costs(own)}")
    again = simulate(one.live, overheads=Overheads.measured(own)).measures.to_dict()
    for gap in one.gaps:
        value = again[gap.name]
        if value is not None and gap.size > 0.5:
            left = abs(gap.live - value) / gap.allowed
            cause = "the cost of this run" if left < gap.size / 2 else "something else"
            lines.append(f"{gap}; with this run's cost {value:.3g}: {cause}")
    return lines


def _own(one: Compared) -> Calibration:
    """What RQ cost in the run itself, but for what cannot be told from a run whose limit was reached: who is let in
    there has not come by chance, so it says nothing about slots; and perhaps nobody found a worker idle.
    """
    known, own = one.calibrated, overhead(one.live, quarters=1)
    slot_s = own.overhead_after_s * known.slot_s / known.overhead_after_s
    pickup_s = own.pickup_s if own.pickups_s else known.pickup_s
    return msgspec.structs.replace(own, slot_s=slot_s, pickup_s=pickup_s)


def _costs(found: Calibration) -> str:
    parts = {
        "pickup": found.pickup_s,
        "before": found.overhead_before_s,
        "stretch": found.stretch_s,
        "after": found.overhead_after_s,
        "slot": found.slot_s,
    }
    return ", ".join(f"{name} {1000 * value:.2f}" for name, value in parts.items())
