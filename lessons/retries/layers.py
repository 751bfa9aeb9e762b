"""Section b: three layers, each of which tries four times. How often is the one at the bottom asked?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from demo_workers.services import layer
from demo_workers.services.children.child import Child
from lessons.check.claims import Claim, check
from lessons.retries.lesson import Lesson
from lessons.theory import amplification

NAMES = ("web", "timeline", "storage", "database")
"""The chain, from the one that people ask to the one that is down."""

LAYERS, TRIES = 3, 4
EVERYBODY = (TRIES,) * LAYERS
ONLY_FIRST = (TRIES,) + (1,) * (LAYERS - 1)
BUDGET = 0.1
STUCK_S = 15.0


class Asked(NamedTuple):
    """What one person's one click made of itself.

    Attributes:
        tries: how often each layer asks the next one.
        counts: how often each was asked, as it counted itself, from the first layer to the database.
        status: what the person heard.
    """

    tries: tuple[int, ...]
    counts: tuple[int, ...]
    status: int

    def __str__(self) -> str:
        counts = "   ".join(f"{name} {count}" for name, count in zip(NAMES, self.counts, strict=True))
        return f"tries {' × '.join(map(str, self.tries))}:   {counts}   (the person hears {self.status})"


async def click(lesson: Lesson, *settings: Sequence[int]) -> list[Asked]:
    """Start four real servers in a chain, the last of them down, and ask the first one once per setting.

    Args:
        lesson: in whose directory their sockets are, for as long as they live.
        settings: how often each of the three layers asks the next one before it gives up.
    """
    await lesson.stack.start(lesson.workers)
    async with _chain(lesson.stack.runtime) as (layers, entrance):
        return [await _click(layers, entrance, tries) for tries in settings]


async def _click(layers: Sequence[Child], entrance: str, tries: Sequence[int]) -> Asked:
    await asyncio.gather(*(one.call("begin", tries=n) for one, n in zip(layers, (*tries, 1), strict=True)))
    async with asyncio.timeout(STUCK_S):
        status = await asyncio.to_thread(layer.ask, entrance)
    counts = await asyncio.gather(*(one.call("count") for one in layers))
    return Asked(tuple(tries), tuple(int(one["asked"]) for one in counts), status)


@asynccontextmanager
async def _chain(place: Path) -> AsyncIterator[tuple[list[Child], str]]:
    """The servers from the first to the last, and the socket of the first; they end with the block or their owner."""
    sockets = [place / f"{name}.sock" for name in NAMES]
    configs = [
        {"uds": str(uds), "asks": str(asks or "")} for uds, asks in zip(sockets, [*sockets[1:], None], strict=True)
    ]
    layers = [
        Child(name, "demo_workers.services.layer", config, place / f"{name}.log")
        for name, config in zip(NAMES, configs, strict=True)
    ]
    try:
        await asyncio.gather(*(one.start() for one in layers))
        yield layers, str(sockets[0])
    finally:
        await asyncio.gather(*(one.stop() for one in layers))
        for uds in sockets:
            uds.unlink(missing_ok=True)


def show_amplification() -> None:
    """Print what theory says: through layers, and where failures do not depend on each other."""
    for layers in range(1, LAYERS + 1):
        calls = amplification.through_layers(TRIES, layers)
        print(f"{TRIES} tries in {layers} layer{'s' * (layers > 1)}: {calls} calls at the bottom")
    print(f"3 tries in 5 layers: {amplification.through_layers(3, 5)} calls at the bottom")
    for p in (0.01, 0.1, 0.5, 1.0):
        mean, success = amplification.attempts_per_request(p, TRIES), amplification.success(p, TRIES)
        print(f"one layer, each call fails with probability {p:.2f}: {mean:.2f} calls, {success:.6%} succeed")
    bounded = amplification.with_budget(1.0, TRIES, BUDGET)
    print(f"one layer, all fails, retries at most {BUDGET:.0%} of the requests: {bounded:.2f} calls")


def check_layers(everybody: Asked, only_first: Asked) -> None:
    """What section b says.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{everybody}; {only_first}"
    by_theory = (1, *(amplification.through_layers(TRIES, layers) for layers in range(1, LAYERS + 1)))
    check(
        Claim("the person clicked once, and hears 503 either way",
              everybody.counts[0] == only_first.counts[0] == 1 and everybody.status == only_first.status == layer.DOWN,
              numbers),
        Claim("each layer multiplies: the servers counted what theory says", everybody.counts == by_theory, numbers),
        Claim("where only the first layer tries again, nothing is multiplied",
              only_first.counts == (1, *(TRIES,) * LAYERS), numbers),
    )  # fmt: skip
