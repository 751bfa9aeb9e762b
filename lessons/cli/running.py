"""Runs a load from the command line, with a progress bar on standard error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from demo_workers.errors import LabError, LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import LiveRun, Stack
from demo_workers.stack.calibration import Calibration
from demo_workers.stack.workforce import WorkerKind

errors = Console(stderr=True, highlight=False)


@asynccontextmanager
async def running(stack: Stack) -> AsyncIterator[Stack]:
    """The stack, stopped at the end whatever happens."""
    try:
        yield stack
    finally:
        await stack.stop()


def progress_bar() -> Progress:
    """One look for every progress bar; silent where standard error is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(compact=True))
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def bar(progress: Progress, title: str) -> Callable[[int, int], None]:
    """Shows how far something is, once it has begun: called with how many are done, and of how many."""
    task = progress.add_task(title, total=None, visible=False)
    return lambda done, of: progress.update(task, completed=done, total=of, visible=True)


async def play(name: str, scenario: Scenario, out: Path | None, *, fresh: bool) -> tuple[Run, Calibration | None]:
    """A scenario on the real system, started and stopped for it; a run whose clients were late is marked, not lost.

    Args:
        name: of the stack.
        scenario: what to play.
        out: directory to record into, or None for the usual place.
        fresh: measure RQ's cost per job anew, even where it is known.

    Returns:
        The run, and RQ's cost per job; None where there are no workers.
    """
    async with running(Stack(name)) as stack:
        workers, kind = scenario.service.workers, scenario.service.worker_class
        await stack.start(workers, WorkerKind(kind, scenario.service.timings))
        errors.print(f"server: {stack.redis.name}")
        calibration = await stack.calibrate(workers, worker_class=kind, fresh=fresh) if workers else None
        live = await stack.begin(scenario, out=out)
        with progress_bar() as progress:
            try:
                return await watch(live, progress, "load"), calibration
            except LoadGeneratorLagging:
                assert live.run is not None  # recorded, and marked as invalid
                return live.run, calibration


async def watch(live: LiveRun, progress: Progress, title: str) -> Run:
    """Show how far a load is until it has ended.

    Raises:
        LabError: what ended it early.
    """
    length_s = live.scenario.load.duration_s
    task = progress.add_task(title, total=length_s)
    finished = asyncio.ensure_future(live.finished())
    try:
        while not finished.done():
            # the drain that follows has no known length: the bar stands at its end meanwhile
            progress.update(task, completed=min(max(live.now(), 0.0), length_s))
            await asyncio.wait([finished], timeout=0.1)
        return finished.result()
    except asyncio.CancelledError:
        try:
            await live.stop()
        except LabError as error:
            errors.print(str(error))
        raise
    finally:
        progress.update(task, completed=length_s)
