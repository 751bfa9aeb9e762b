"""The running system of chapter 04, and how it is opened."""

from __future__ import annotations

from demo_workers.scenario import Service
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.load_chapter import LoadChapter

WORKERS = 2


class Lesson(LoadChapter):
    """Redis, gateway and two workers, and what RQ costs per job here; made by ``open_lesson``.

    Args:
        stack: what carries the loads.
        cost: RQ's cost per job with two workers at work.
    """

    def __init__(self, stack: Stack, cost: Calibration) -> None:
        super().__init__(stack, WORKERS, cost)

    @property
    def service(self) -> Service:
        """Two workers, and work of which they can do ``capacity`` per second."""
        return Service(service_time_s=self.work_s, workers=WORKERS)


async def open_lesson() -> Lesson:
    """Start Redis, gateway and two workers, and measure what RQ costs per job here (kept for the next time).

    Running it again replaces what the first call started.
    """
    stack = Stack("04_retries_and_backoff")
    await stack.start(WORKERS)
    lesson = Lesson(stack, await stack.calibrate(WORKERS))
    await lesson.start()
    lesson.introduce()
    return lesson
