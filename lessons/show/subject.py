"""From a scenario to what its picture is about: bands, patience, the axes that will be needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from demo_workers.records.events import Events
from demo_workers.scenario import Load, Scenario
from demo_workers.tape import profile
from lessons.show import text
from lessons.show.layout import Fourth, Look, Sheet
from lessons.show.scene import Band, Ghost, Mark
from lessons.show.series import Series

HEADROOM = 1.25
"""Random arrivals exceed their mean rate by about this much in half a second."""


class Turned(Protocol):
    """An entry of a steering log: (t, knob, value)."""

    @property
    def t(self) -> float:
        """Seconds since the run's origin."""

    @property
    def knob(self) -> str:
        """What was turned."""

    @property
    def value(self) -> Any:
        """To what."""


class Recorded(Protocol):
    """What a picture needs of a run that is over."""

    @property
    def scenario(self) -> Scenario:
        """As it was at the start."""

    @property
    def events(self) -> Events:
        """All rows."""

    @property
    def steering(self) -> Sequence[Turned]:
        """What was turned."""


def fold(run: Recorded, *, bin_s: float = 0.25) -> Series:
    """The series of a whole run."""
    series = Series(bin_s=bin_s, limit=run.scenario.admission.limit)
    series.feed(run.events)
    series.over = True
    return series


def ghost(run: Recorded, name: str = "") -> Ghost:
    """An earlier run as a ghost."""
    series = fold(run)
    return Ghost(series.view(), series.totals(), name)


def marks(steering: Iterable[Turned]) -> list[Mark]:
    """The steering log as the plots show it."""
    return [text.mark(entry.t, entry.knob, entry.value) for entry in steering]


def bands(load: Load) -> list[Band]:
    """Stretches in which more arrives than at the start."""
    if load.kind not in ("spike", "steps"):
        return []
    raised = [s for s in profile(load) if s.rate > load.arrival_rate]
    return [Band(s.start_s, s.end_s, "burst") for s in raised]


def look(
    scenario: Scenario,
    *,
    question: str = "",
    fourth: Fourth = "served",
    earlier: Ghost | None = None,
    open_ended: bool = False,
    noun: str = "requests",
    name: str = "",
    sheet: Sheet | None = None,
) -> Look:
    """The look of a run of this scenario."""
    load, limit = scenario.load, scenario.admission.limit
    segments = profile(load)
    rate = max(max(s.rate, s.rate_end) for s in segments)
    requests = sum((s.end_s - s.start_s) * (s.rate + s.rate_end) / 2 for s in segments)
    return Look(
        question=question,
        duration_s=None if open_ended else load.duration_s,
        fourth=fourth,
        ghost=earlier,
        name=name,
        patience_s=scenario.retry.timeout_s,
        bands=bands(load),
        expect={
            "rate": rate * HEADROOM,
            "inside": (limit or 2 * scenario.service.workers or 1) * 1.2,
            "requests": requests,
        },
        noun=noun,
        workers=scenario.service.workers,
        arrival_rate=load.arrival_rate,
        sheet=sheet,
    )
