"""The running system of the chapter: workers and a queue, replaced when it is opened again."""

from __future__ import annotations

from functools import partial

import psutil
import pytest

from demo_workers.errors import LabError
from lessons import numbers_game
from lessons.numbers_game import Lesson, clocks
from tests.processes import alive, children, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them lives."""
    return not any(map(alive, processes))


async def test_opening_it_again_replaces_it(lesson: Lesson) -> None:
    """The first one's processes go; closing the second leaves nothing."""
    first = children()
    second = await numbers_game.open_lesson()
    wait_until(partial(all_gone, first), 5.0, "processes gone")
    assert second.room.workforce.names
    await second.close()
    wait_until(lambda: children() == [], 5.0, "processes gone")


async def test_a_measurement_brings_it_back(lesson: Lesson) -> None:
    """Closed and used again, it runs; a job is done by its own worker."""
    await lesson.close()
    await lesson.start()
    assert clocks.job_s(lesson) > 0


async def test_a_job_that_nobody_does_is_told(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a remedy."""
    await lesson.room.workforce.resize(0)
    monkeypatch.setattr(clocks, "WAIT_S", 1)
    with pytest.raises(LabError, match="Run the first cell again"):
        clocks.job_s(lesson)
