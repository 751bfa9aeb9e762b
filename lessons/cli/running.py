"""Runs a load from the command line, with a progress bar on standard error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from demo_workers.errors import LabError
from demo_workers.records.run import Run
from demo_workers.stack import LiveRun, Stack

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
