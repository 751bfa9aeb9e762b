"""Section a: ``async`` and ``await`` are no queue. A loop's heart beats only while nobody computes in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import NamedTuple

from demo_workers.errors import LabError
from lessons.check.claims import Claim, check
from lessons.trade_offs.lesson import PATIENCE_S, Lesson

BEAT_S = 0.01


class Beats(NamedTuple):
    """What else this process could do while it awaited something.

    Attributes:
        beats: of a heart that beats a hundred times a second.
        took_s: how long it was awaited, seconds.
    """

    beats: int
    took_s: float

    def __str__(self) -> str:
        return f"{self.beats:>3} beats in {1000 * self.took_s:.0f} ms"


async def beats_during(something: Awaitable[object]) -> Beats:
    """Await something and count how often another coroutine of this process gets its turn meanwhile.

    Args:
        something: a coroutine that has not begun yet.
    """
    count, beating = 0, asyncio.Event()

    async def heart() -> None:
        nonlocal count
        while True:
            count += 1
            beating.set()
            await asyncio.sleep(BEAT_S)

    task = asyncio.create_task(heart())
    await beating.wait()
    began, before = time.monotonic(), count
    try:
        await something
        return Beats(count - before, time.monotonic() - began)
    finally:
        task.cancel()


async def compute_elsewhere(lesson: Lesson, work_s: float) -> None:
    """Have a worker, another process, burn so much processor time, and await the result.

    Raises:
        LabError: the gateway refused.
    """
    async with lesson.http() as http:
        order = {"task": "work", "args": {"service_time_s": work_s, "kind": "cpu"}}
        answer = await http.post("/jobs", json=order, headers={"Prefer": f"wait={PATIENCE_S}"})
        if answer.status_code != 200:
            raise LabError(f"POST /jobs = {answer.status_code}: must be 200. {answer.text}")


def check_beats(here: Beats, elsewhere: Beats) -> None:
    """What section a says of ``await``.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"here {here}, elsewhere {elsewhere}"
    check(
        Claim("while an async function computed, nothing else in this process ran", here.beats == 0, numbers),
        Claim("while a worker computed, this process went on", elsewhere.beats > 0, numbers),
    )
