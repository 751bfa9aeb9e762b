"""Waiting for live loads on a machine that others use too."""

from __future__ import annotations

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import LiveRun, Stack


async def ended(live: LiveRun) -> Run:
    """The run of a load, also when the clients were late: its books must balance all the same."""
    try:
        return await live.finished()
    except LoadGeneratorLagging:
        assert live.run is not None
        return live.run


async def play(stack: Stack, scenario: Scenario) -> Run:
    """A scenario from beginning to end."""
    return await ended(await stack.begin(scenario))
