"""Kills consumers in the middle of their work, or lets them be slow, and counts effects."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from demo_workers.brokers import Settings, open_broker
from demo_workers.brokers.consumer import consumer, read_notes
from demo_workers.brokers.losses import Loss
from demo_workers.brokers.producers import Producers

SETTINGS = Settings(visibility_s=1.0, max_deliveries=1000)
RATE = 40.0
"""Messages per second: fewer than the local SQS can do."""
WORK_S = 0.01
SOONEST_S, LATEST_S = 0.05, 0.8
QUIET_S = SETTINGS.visibility_s + 2.0
"""When nothing has come for so long, nothing will."""
DEADLINE_S = 60.0
LOOKS_S = 2.5
"""The local SQS looks once a second for messages that have become visible."""


async def consumer_kills(kind: str, address: Mapping[str, str], kills: int, dice: random.Random) -> Loss:
    """Consumers come and are killed one after the other while a producer goes on; the last one finishes.

    Args:
        kind: of the broker.
        address: of its server.
        kills: how many.
        dice: for the moments.
    """
    queue = f"kills-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="wb-kills-") as directory:
        place = Path(directory)
        producers = Producers([open_broker(kind, address, queue, SETTINGS)], rate=RATE)
        children = (
            consumer(kind, address, queue, place, settings=SETTINGS, work_s=WORK_S, name=f"consumer-{n}")
            for n in itertools.count()
        )
        last = next(children)
        await last.start()
        try:
            await asyncio.to_thread(producers.start)
            for _ in range(kills):
                await asyncio.sleep(dice.uniform(SOONEST_S, LATEST_S))
                last.kill()
                await last.stop()
                last = next(children)
                await last.start()
            told = await asyncio.to_thread(producers.stop)
            await _quiet(place)
        finally:
            await asyncio.to_thread(producers.stop)
            await last.stop()
        return await asyncio.to_thread(_books, kind, address, queue, place, told, kills)


async def visibility_expiries(kind: str, address: Mapping[str, str], messages: int) -> Loss:
    """Nobody is killed: a consumer lives and is slower than the time-out, and another one has nothing else to do.

    Args:
        kind: of the broker.
        address: of its server.
        messages: how many, one after the other.
    """
    queue, work_s = f"slow-{secrets.token_hex(4)}", SETTINGS.visibility_s + LOOKS_S
    with tempfile.TemporaryDirectory(prefix="wb-slow-") as directory:
        place, numbers = Path(directory), list(range(messages))
        pair = [
            consumer(kind, address, queue, place, settings=SETTINGS, work_s=work_s, name=f"slow-{n}") for n in range(2)
        ]
        try:
            for one in pair:
                await one.start()
            with open_broker(kind, address, queue, SETTINGS) as broker:
                for number in numbers:
                    await asyncio.to_thread(broker.publish, number)
                    await _all_acknowledged(place, number + 1)
        finally:
            for one in pair:
                await one.stop()
        return await asyncio.to_thread(_books, kind, address, queue, place, numbers, messages)


def _books(kind: str, address: Mapping[str, str], queue: str, place: Path, told: list[int], faults: int) -> Loss:
    with open_broker(kind, address, queue, SETTINGS) as broker:
        broker.delete()
    return Loss.of(told, _effects(place), faults)


async def _all_acknowledged(place: Path, messages: int) -> None:
    """Wait until so many messages are, and nobody is at work on one any more."""
    began, took, acked = time.monotonic(), 1, 0
    while (took > acked or acked < messages) and time.monotonic() - began < DEADLINE_S:
        await asyncio.sleep(0.1)
        notes = read_notes(place)
        took, acked = (sum(note.step == step for note in notes) for step in ("took", "acked"))


def _effects(place: Path) -> list[int]:
    return [note.body for note in read_notes(place) if note.step == "effect"]


async def _quiet(place: Path) -> None:
    """Wait until nothing has happened for a while; a message that is held comes again within that while."""
    began = changed = time.monotonic()
    seen = -1
    while time.monotonic() - changed < QUIET_S and time.monotonic() - began < DEADLINE_S:
        if (now := len(read_notes(place))) != seen:
            seen, changed = now, time.monotonic()
        await asyncio.sleep(0.1)
