"""A chapter whose running system carries loads, live and in the twin, on the same tapes at the same cost per job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack
from demo_workers.stack.calibration import Calibration
from demo_workers.stack.custom_policies import Admit, NextTry
from lessons.chapter import Chapter
from lessons.twin.simulate import Overheads, simulate

SERVICE_S = 0.05
"""How long one post holds a worker on average (seconds), RQ's own cost included."""

LEAST_WORK_S = 0.01
"""What is left of it for the work, where RQ costs much."""

TRIES = 3


class LoadChapter(Chapter):
    """Redis, gateway and workers, and what RQ costs per job here.

    Args:
        stack: what carries the loads.
        workers: how many there are behind the gateway.
        cost: RQ's cost per job with so many workers at work.
    """

    def __init__(self, stack: Stack, workers: int, cost: Calibration) -> None:
        super().__init__(stack, workers)
        self.cost = cost

    @property
    def work_s(self) -> float:
        """Mean length of the work itself (seconds), so that with RQ's cost a post takes as long on every machine.

        Limits mean the same everywhere then: the cliff stands at capacity times patience.
        """
        return max(LEAST_WORK_S, SERVICE_S - self.cost.overhead_s)

    @property
    def capacity(self) -> float:
        """cμ: posts per second that the workers can do, RQ's own cost per job included."""
        return self.workers / (self.work_s + self.cost.overhead_s)

    def introduce(self) -> None:
        """Print what runs here and what it can do."""
        work_ms, cost_ms = 1000 * self.work_s, 1000 * self.cost.overhead_s
        print(self.stack.redis.name)
        print(f"RQ itself takes {cost_ms:.0f} ms per job here, the work {work_ms:.0f} ms on average.")
        print(f"{self.workers} workers can do {self.capacity:.0f} posts per second.")

    def simulate(self, scenario: Scenario, *, next_try: NextTry | None = None, admit: Admit | None = None) -> Run:
        """The twin, with RQ's cost as it is here; plain Python, so that nothing has to be compiled first."""
        cost = Overheads.measured(self.cost)
        return simulate(scenario, overheads=cost, next_try=next_try, admit=admit, engine="python")

    async def play(self, scenario: Scenario, *, next_try: NextTry | None = None, admit: Admit | None = None) -> Run:
        """A live run; one that the machine was too busy for is played again, twice at most.

        Raises:
            LabError: a part died, a policy made a mistake, or the machine is too busy.
        """
        return await patiently(lambda: self.stack.run(scenario, next_try=next_try, admit=admit))


Opened = TypeVar("Opened", bound=LoadChapter)


async def patiently(play: Callable[[], Awaitable[Run]]) -> Run:
    """What ``play`` gives; where the machine was too busy for it, it is asked again, twice at most.

    Raises:
        LoadGeneratorLagging: it was too busy each time.
    """
    for _ in range(TRIES - 1):
        try:
            return await play()
        except LoadGeneratorLagging:
            continue
    return await play()


async def opened(name: str, workers: int, make: Callable[[Stack, Calibration], Opened]) -> Opened:
    """Start Redis, gateway and workers, and measure what RQ costs per job here (kept for the next time).

    Opening it again replaces what the first call started.

    Args:
        name: of the chapter.
        workers: how many.
        make: the chapter's own class.
    """
    stack = Stack(name)
    await stack.start(workers)
    chapter = make(stack, await stack.calibrate(workers))
    await chapter.start()
    chapter.introduce()
    return chapter
