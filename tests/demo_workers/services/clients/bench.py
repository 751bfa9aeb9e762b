"""A generator with its record in a temporary directory, and a way to wait for conditions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_workers.records.events import Events, read_events
from demo_workers.scenario import Scenario
from demo_workers.services.clients.connection import Address
from demo_workers.services.clients.generator import Generator


async def until(condition: Callable[[], object], deadline_s: float = 30.0) -> None:
    """Wait for a condition, or fail at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.005)


class Bench:
    """Makes one generator and reads its record."""

    def __init__(self, directory: Path) -> None:
        self.events = directory / "clients.events"
        self.told: list[str] = []
        self.generator: Generator | None = None

    def begin(
        self, address: Address, scenario: Scenario, *, open_ended: bool = False, max_in_flight: int = 8192
    ) -> Generator:
        """Start the load a moment from now."""
        self.origin = time.monotonic() + 0.02
        self.generator = Generator(
            address,
            scenario,
            origin=self.origin,
            events=self.events,
            emit=self.told.append,
            open_ended=open_ended,
            max_in_flight=max_in_flight,
        )
        self.generator.start()
        return self.generator

    async def play(self, address: Address, scenario: Scenario, *, max_in_flight: int = 8192) -> dict[str, Any]:
        """Play the scenario until all its requests have ended; returns the counts."""
        generator = self.begin(address, scenario, max_in_flight=max_in_flight)
        await until(lambda: "load_over" in self.told)
        return generator.end()

    def rows(self, kind: int) -> Events:
        """The record's rows of one kind."""
        events, torn = read_events(self.events)
        assert torn == 0
        chosen: Events = events[events["kind"] == kind]
        return chosen
