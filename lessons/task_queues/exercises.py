"""The exercise: a report that is killed while it runs, and goes on where it stood.

The killing is simulated: whatever the reader's function is doing, it is left at once and called again, as RQ would call
the job again with ``Retry``. What it saves lies in the real Redis.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from demo_workers.errors import LabError
from demo_workers.queueing.reports import MONTHS
from lessons.check.in_time import call_in_time
from lessons.check.kills import Killed, call_until_done
from lessons.task_queues.lesson import Lesson

CLASS_SEED = 2026
KILLS = 3
LIVES_S = 600
MOST_MONTHS = 20 * MONTHS
"""A report that has read so many months and is not done never will be."""

Month = Callable[[int], int]
Load = Callable[[], dict[str, Any] | None]
Save = Callable[[dict[str, Any]], None]
Report = Callable[[Month, Load, Save], int]


class Worked(NamedTuple):
    """What came of a report.

    Attributes:
        right: whether its total is what it must be.
        months: how many months were read, some of them again; twelve are needed.
        calls: how often the job was begun.
        backwards: whether the progress ever went back.
    """

    right: bool
    months: int
    calls: int
    backwards: bool

    def __str__(self) -> str:
        progress = "the progress went backwards" if self.backwards else "the progress never went backwards"
        return f"{'right' if self.right else 'WRONG'} total, {self.months} months read, {progress}"


def naive(month: Month, load: Load, save: Save) -> int:
    """Begin anew each time."""
    total = 0
    for number in range(1, MONTHS + 1):
        total += month(number)
        save({"done": number, "total": total})
    return total


def reference(month: Month, load: Load, save: Save) -> int:
    """Go on after the last month that was saved."""
    saved = load() or {"done": 0, "total": 0}
    total = saved["total"]
    for number in range(saved["done"] + 1, MONTHS + 1):
        total += month(number)
        save({"done": number, "total": total})
    return int(total)


async def try_report(lesson: Lesson, report: Report, *, class_seed: int = CLASS_SEED) -> Worked:
    """Play a report that is killed three times, at moments that the class's number decides.

    Args:
        lesson: has the Redis.
        report: the reader's.
        class_seed: another number gives other moments and other months.

    Raises:
        LabError: it gets no further, or has not returned after ten seconds.
    """
    await lesson.stack.start()
    return await call_in_time(lambda: _play(lesson, report, class_seed))


def _play(lesson: Lesson, report: Report, class_seed: int) -> Worked:
    dice = np.random.default_rng(class_seed)
    values = [int(value) for value in dice.integers(100, 1000, MONTHS + 1)]
    # each kill comes a few months after the begin of the call before
    fuses = [int(fuse) for fuse in dice.integers(3, 7, KILLS)]
    with lesson.redis() as redis:
        key = f"exercise:{class_seed}"
        read: list[int] = []
        budget: list[int] = []  # of each call: months until its kill
        told = [0]
        redis.delete(key)

        def month(number: int) -> int:
            if len(read) == MOST_MONTHS:
                raise LabError(f"months read = {MOST_MONTHS}: must be done by then. Does it get further each time?")
            if fuses and budget[-1] == 0:
                fuses.pop(0)
                raise Killed
            budget[-1] -= 1
            read.append(number)
            return values[number]

        def load() -> dict[str, Any] | None:
            stored: Any = redis.get(key)
            return None if stored is None else json.loads(stored)

        def save(state: dict[str, Any]) -> None:
            told.append(int(state.get("done", 0)))
            redis.set(key, json.dumps(state), ex=LIVES_S)

        def begin() -> int:
            budget.append(fuses[0] if fuses else MONTHS)
            return report(month, load, save)

        total = call_until_done(begin)
        redis.delete(key)
        return Worked(total == sum(values[1:]), len(read), len(budget), told != sorted(told))


async def grade_report(lesson: Lesson, report: Report, *, class_seed: int = CLASS_SEED) -> None:
    """Print the reader's report between one that begins anew and one that goes on."""
    for name, one in (("begins anew", naive), ("yours", report), ("reference", reference)):
        print(f"{name:<12}{await try_report(lesson, one, class_seed=class_seed)}")
