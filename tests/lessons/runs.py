"""Whole runs of the model of the system, for tests of what lessons read off a run."""

from __future__ import annotations

from typing import Any

from demo_workers.records.events import Kind, Outcome
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from tests.lessons.show.event_source import play


def modelled(scenario: Scenario, *, lose: Kind | None = None, **changes: Any) -> Run:
    """A run of the model, which has no witnesses.

    Args:
        scenario: what to play.
        lose: leave out the first row of this kind, so that the books do not balance.
        changes: other fields of the run.
    """
    events = play(scenario).events.copy()
    admitted = (events["kind"] == Kind.DECIDED) & (events["code"] == Outcome.ADMITTED)
    events["status"][admitted] = 202
    if lose is not None:
        first = int((events["kind"] == lose).argmax())
        events = events[[row != first for row in range(len(events))]]
    given: dict[str, Any] = {"source": "twin", "steering": []} | changes
    return Run(scenario=scenario, events=events, **given)
