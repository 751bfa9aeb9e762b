"""Live runs for benchmarks: one that the machine was too busy for is played again."""

from __future__ import annotations

from pathlib import Path

from benchmarks._bar import say
from demo_workers.errors import LoadGeneratorLagging
from demo_workers.policies.custom import Admit
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack

TRIES = 3


async def play(stack: Stack, scenario: Scenario, out: Path | None = None, *, admit: Admit | None = None) -> Run:
    """One run, at the third attempt at the latest.

    Args:
        stack: the system.
        scenario: what to play.
        out: directory to make a directory for each attempt in; None keeps the run where runs are kept.
        admit: a reader's own admission policy.

    Raises:
        LoadGeneratorLagging: the clients were late three times.
    """
    for n in range(1, TRIES + 1):
        try:
            return await stack.run(scenario, out=None if out is None else out / str(n), admit=admit)
        except LoadGeneratorLagging as error:
            if n == TRIES:
                raise
            say(f"  again: {error}")
    raise AssertionError
