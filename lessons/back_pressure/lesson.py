"""The running system of chapter 03, and the loads that its sections put on it."""

from __future__ import annotations

from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from lessons.load_chapter import LoadChapter, opened

WORKERS = 3

OVERLOAD = 2.0
"""Arrivals as a multiple of what the workers can do."""

PATIENCE_S = 1.0
LIMITS = (6, 20, 40, 100)
SHORT_S, FULL_S = 2.6, 6.0
"""Length of the loads: what Run All plays, and what a button does."""


class Lesson(LoadChapter):
    """Redis, gateway and workers, and what RQ costs per job here; made by ``open_lesson``.

    Args:
        stack: what carries the loads.
        cost: RQ's cost per job with three workers at work.
    """

    def __init__(self, stack: Stack, cost: Calibration) -> None:
        super().__init__(stack, WORKERS, cost)
        self.kept: dict[int | None, Run] = {}

    @property
    def arrival_rate(self) -> float:
        """λ of sections a and b, posts per second."""
        return OVERLOAD * self.capacity

    def overloaded(
        self,
        limit: int | None,
        *,
        duration_s: float = SHORT_S,
        patience_s: float | None = PATIENCE_S,
        seed: int = 7,
    ) -> Scenario:
        """Twice the capacity from the first second to the last; nobody tries again.

        Args:
            limit: most jobs inside, or None.
            duration_s: length of the load, seconds.
            patience_s: how long a client waits, seconds; None is for ever.
            seed: the tape's seed.
        """
        return Scenario(
            load=Load(arrival_rate=self.arrival_rate, duration_s=duration_s),
            service=Service(service_time_s=self.work_s, workers=WORKERS),
            admission=Admission(limit=limit),
            retry=Retry(policy="none", timeout_s=patience_s),
            seed=seed,
            # nobody waits for longer than that
            drain_s=0.3 if patience_s is None else patience_s + 0.1,
        )

    def keep(self, run: Run) -> Run:
        """Remember a run by its limit, for the section that looks at one's own."""
        self.kept[run.scenario.admission.limit] = run
        return run


async def open_lesson() -> Lesson:
    """Start Redis, gateway and three workers, and measure what RQ costs per job here (kept for the next time).

    Running it again replaces what the first call started.
    """
    return await opened("03_back_pressure", WORKERS, Lesson)
