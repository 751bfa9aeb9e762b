"""Section a: a game's clock. Sixty times a second something must be ready; the queue has other things to do as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import NamedTuple

from demo_workers.queueing.tasks import work
from lessons.check.claims import Claim, check
from lessons.trade_offs.lesson import Lesson, accepted, ended, queued

TICK_S = 1 / 60
"""A tick's result must be there when the next tick begins."""

WORK_S = 0.004
TICKS = 30
THUMBNAIL_AT, THUMBNAIL_S = 8, 0.2
"""In the middle of the game somebody uploads a picture."""


class Ticks(NamedTuple):
    """How long each tick took from its time to its result (seconds)."""

    took_s: list[float]

    @property
    def missed(self) -> int:
        """Ticks whose result came after the next tick had begun."""
        return sum(took_s > TICK_S for took_s in self.took_s)

    @property
    def at_first_s(self) -> float:
        """What a tick took before the picture came: the median, seconds."""
        return median(self.took_s[:THUMBNAIL_AT])

    def __str__(self) -> str:
        each, worst = (f"{1000 * took_s:.1f} ms" for took_s in (self.at_first_s, max(self.took_s)))
        return f"{self.missed:>2} of {len(self.took_s)} ticks missed; at first {each} per tick, the worst {worst}"


class Games(NamedTuple):
    """The same game, twice: the work in the game's own loop, and through the queue."""

    inline: Ticks
    queued: Ticks

    def __str__(self) -> str:
        return f"in the loop itself: {self.inline}\nthrough the queue:  {self.queued}"


async def play(lesson: Lesson) -> Games:
    """Half a second of the game, once each way; both times a thumbnail goes through the queue meanwhile."""
    async with lesson.http() as http:
        await queued(http, WORK_S)  # connected before the start

        async def upload() -> str:
            return (await accepted(http, THUMBNAIL_S))[1]

        async def in_the_loop() -> None:
            await asyncio.to_thread(work, WORK_S)

        async def through_the_queue() -> None:
            await queued(http, WORK_S)

        games = []
        for step in (in_the_loop, through_the_queue):
            ticks, location = await _game(step, upload)
            await ended(http, [location])
            games.append(ticks)
    return Games(*games)


async def _game(step: Callable[[], Awaitable[object]], upload: Callable[[], Awaitable[str]]) -> tuple[Ticks, str]:
    """Each tick begins at its time, whatever became of the ones before."""
    began, running = time.monotonic(), []
    location: asyncio.Task[str] | None = None
    for number in range(TICKS):
        due = began + number * TICK_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if number == THUMBNAIL_AT:
            location = asyncio.ensure_future(upload())
            await asyncio.sleep(0)  # it is on its way before this tick is
        running.append(asyncio.create_task(_since(due, step)))
    took_s = await asyncio.gather(*running)
    assert location is not None
    return Ticks(took_s), await location


async def _since(due: float, step: Callable[[], Awaitable[object]]) -> float:
    await step()
    return time.monotonic() - due


def check_ticks(games: Games) -> None:
    """What section a says of the game.

    Raises:
        ClaimError: it is not so.
    """
    inline, through, numbers = games.inline, games.queued, f"{games.inline.took_s}; {games.queued.took_s}"
    check(
        Claim("through the queue more than a quarter of the ticks missed their deadline",
              through.missed > TICKS / 4, numbers),
        Claim("in the game's own loop fewer did, with the same thumbnail in the queue",
              inline.missed < through.missed, numbers),
        Claim("even before it a tick took longer through the queue", through.at_first_s > inline.at_first_s, numbers),
        Claim("some tick waited for most of the thumbnail", max(through.took_s) > THUMBNAIL_S / 2, numbers),
    )  # fmt: skip
