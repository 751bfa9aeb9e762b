"""Consumers of one queue, real processes that can be killed, and what they have really done, read from their notes."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from demo_workers.brokers import Settings, open_broker
from demo_workers.brokers.consumer import Note, consumer, read_notes
from demo_workers.errors import LabError
from demo_workers.services.children.child import Child
from lessons.chapter import WAIT_S

LOOK_S = 0.005

Notes = list[Note]


class Crew:
    """The consumers of one experiment; made by ``crew``.

    Args:
        kind: of the broker.
        address: of its server.
        settings: of the broker.
        place: directory for notes and logs.
        heard: called with each new note, in order.
    """

    def __init__(
        self, kind: str, address: dict[str, str], settings: Settings, place: Path, heard: Callable[[Note], None]
    ) -> None:
        self.kind, self.queue, self.place = kind, f"posts-{secrets.token_hex(3)}", place
        self._address, self._settings, self._heard = address, settings, heard
        self._children: list[Child] = []
        self._told = 0

    async def hire(self, **how: Any) -> Child:
        """Start one more consumer; ``how`` is what ``consumer`` takes."""
        name = f"consumer-{len(self._children)}"
        child = consumer(self.kind, self._address, self.queue, self.place, settings=self._settings, name=name, **how)
        self._children.append(child)
        await child.start()
        return child

    async def publish(self, *bodies: Any) -> None:
        """Hand messages over; returns when the broker has answered to each."""

        def play() -> None:
            with open_broker(self.kind, self._address, self.queue, self._settings) as broker:
                for body in bodies:
                    broker.publish(body)

        await asyncio.to_thread(play)

    def left(self) -> int:
        """How many messages the broker still has, waiting or held; for use in a thread."""
        with open_broker(self.kind, self._address, self.queue, self._settings) as broker:
            depth = broker.depth()
            return depth.waiting + (depth.held or 0)

    async def until(self, holds: Callable[[Notes], bool], what: str) -> Notes:
        """Wait for a condition on the notes; returns them.

        Raises:
            LabError: it did not come true in time.
        """
        deadline = time.monotonic() + WAIT_S
        while True:
            notes = read_notes(self.place)
            for note in notes[self._told :]:
                self._heard(note)
            self._told = len(notes)
            if holds(notes):
                return notes
            if time.monotonic() > deadline:
                raise LabError(f"{what}: must be so within {WAIT_S:g} s. Close other programs, run the cell again.")
            await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        """End all consumers and remove the queue."""
        for child in self._children:
            await child.stop(grace_s=0.5)

        def tidy() -> None:
            with open_broker(self.kind, self._address, self.queue, self._settings) as broker:
                broker.delete()

        await asyncio.to_thread(tidy)


@asynccontextmanager
async def crew(
    kind: str, address: dict[str, str], settings: Settings, heard: Callable[[Note], None] = lambda note: None
) -> AsyncIterator[Crew]:
    """A queue of its own; its consumers and what is in it have gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="wb-crew-") as directory:
        one = Crew(kind, address, settings, Path(directory), heard)
        try:
            yield one
        finally:
            await one.stop()


def steps(notes: Notes, step: str) -> list[Any]:
    """The bodies with which somebody noted this step, in order."""
    return [note.body for note in notes if note.step == step]
