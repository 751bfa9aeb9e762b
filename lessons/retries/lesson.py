"""The running system of chapter 04, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping

from demo_workers.records.run import Run
from demo_workers.scenario import Service
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.load_chapter import LoadChapter, opened

WORKERS = 2


class Lesson(LoadChapter):
    """Redis, gateway and two workers, and what RQ costs per job here; made by ``open_lesson``.

    Args:
        stack: what carries the loads.
        cost: RQ's cost per job with two workers at work.
    """

    def __init__(self, stack: Stack, cost: Calibration) -> None:
        super().__init__(stack, WORKERS, cost)
        self.kept: dict[str, Run] = {}

    @property
    def service(self) -> Service:
        """Two workers, and work of which they can do ``capacity`` per second."""
        return Service(service_time_s=self.work_s, workers=WORKERS)

    def keep(self, runs: Mapping[str, Run]) -> dict[str, Run]:
        """Remember the runs of section a by their policies, for the arena."""
        self.kept = dict(runs)
        return self.kept


async def open_lesson() -> Lesson:
    """Start Redis, gateway and two workers, and measure what RQ costs per job here (kept for the next time).

    Running it again replaces what the first call started.
    """
    return await opened("04_retries_and_backoff", WORKERS, Lesson)
