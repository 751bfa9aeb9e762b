"""Scenarios that the tests of pictures share."""

from __future__ import annotations

from demo_workers.scenario import Load, Retry, Scenario, Service
from lessons.show import subject
from lessons.show.layout import Look
from lessons.show.series import Series
from tests.lessons.show.event_source import play

BURST = Scenario(
    load=Load(kind="spike", arrival_rate=45, spike_rate=120, spike_start_s=3, spike_length_s=3, duration_s=20),
    service=Service(service_time_s=0.05),
    retry=Retry(timeout_s=1.0),
)
LIMITED = BURST.steered(limit=20)
RETRYING = BURST.steered(limit=16, attempts=4, retry_policy="full")
SHORT = Scenario(load=Load(arrival_rate=60, duration_s=0.6), service=Service(service_time_s=0.02))


def folded(scenario: Scenario) -> Series:
    """The series of a whole run of the model."""
    return subject.fold(play(scenario))


def look(scenario: Scenario = LIMITED, **more: object) -> Look:
    """The look of a run, with a question."""
    return subject.look(scenario, question="More in time, or fewer?", noun="posts", **more)  # type: ignore[arg-type]
