"""The exercise tells a report that goes on from one that begins anew, whatever the class's number."""

from __future__ import annotations

import random

import pytest

from demo_workers.errors import LabError
from lessons import task_queues
from lessons.task_queues import Lesson
from lessons.task_queues.exercises import KILLS, Load, Month, Save, naive, reference

pytestmark = pytest.mark.live


async def test_going_on_reads_each_month_once(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are right in the end; the naive one reads more and tells people that it went backwards."""
    for seed in random.sample(range(10**6), 5):
        anew = await task_queues.try_report(lesson, naive, class_seed=seed)
        on = await task_queues.try_report(lesson, reference, class_seed=seed)
        assert [anew.right, on.right] == [True, True], seed
        assert on.months == 12 < anew.months, seed
        assert [anew.backwards, on.backwards] == [True, False], seed
        assert anew.calls == KILLS + 1 >= on.calls > 1, seed
    await task_queues.grade_report(lesson, reference)
    assert "yours       right total, 12 months read" in capsys.readouterr().out


async def test_a_wrong_report_is_told(lesson: Lesson) -> None:
    """Who forgets to keep the sum gets the months right and the total wrong."""

    def forgetful(month: Month, load: Load, save: Save) -> int:
        total, done = 0, (load() or {"done": 0})["done"]
        for number in range(done + 1, 13):
            total += month(number)
            save({"done": number})
        return total

    worked = await task_queues.try_report(lesson, forgetful)
    assert (worked.right, worked.months) == (False, 12)
    assert str(worked).startswith("WRONG")


async def test_a_report_that_never_ends_is_ended(lesson: Lesson) -> None:
    """Nobody waits for a report that cannot get further."""

    def stuck(month: Month, load: Load, save: Save) -> int:
        while True:
            month(1)

    with pytest.raises(LabError, match="Does it get further"):
        await task_queues.try_report(lesson, stuck)
