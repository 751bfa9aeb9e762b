"""Section b: work that needs a processor, done inline, by one, two and four workers, and by a pool of processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from IPython.display import display

from demo_workers.queueing.pictures import SIDES, thumbnails
from demo_workers.services.children.process_pool import process_pool
from demo_workers.stack.workforce import WorkerKind
from lessons.check.claims import Claim, check
from lessons.show import charts
from lessons.task_queues.drawing import draw
from lessons.task_queues.lesson import Crew, Lesson, dismiss, until
from lessons.task_queues.shared import Written, claim_about, show_written, write_rows

PICTURES, DRAWN = 6, 1
SIZE = 1600, 1200
COUNTS = (1, 2, 4)
TASK = "demo_workers.queueing.pictures.thumbnails"
ROUNDING = 1.05
"""Clocks of processor time tick; so much more than possible is still no miracle."""


class Way(NamedTuple):
    """One way of doing it.

    Attributes:
        name: for people.
        at_once: how many pictures may be worked on at the same time.
        asked_s: until whoever asked was free again, seconds.
        took_s: until the last thumbnail was there.
        cpu_s: processor time of all thumbnails together.
        checks: checksums of the thumbnails, in order.
    """

    name: str
    at_once: int
    asked_s: float
    took_s: float
    cpu_s: float
    checks: tuple[int, ...]


class Ways(NamedTuple):
    """All ways on the same pictures.

    Attributes:
        ways: of making thumbnails.
        cores: of this machine's processor.
        written: what the fewest and the most workers did at a shared database.
    """

    ways: tuple[Way, ...]
    cores: int
    written: tuple[Written, ...]

    def by_workers(self) -> dict[int, Way]:
        """Those of RQ's simple workers, by their number."""
        return {way.at_once: way for way in self.ways if way.name.startswith("RQ, simple")}


async def make_thumbnails(lesson: Lesson, *, forking: bool = False) -> Ways:
    """Draw some pictures and make their thumbnails in several ways, one after the other.

    Args:
        lesson: has the Redis.
        forking: two forking workers too, which takes some seconds more.
    """
    async with lesson.crew("pictures") as crew:
        folder = crew.logs / "pictures"
        folder.mkdir(exist_ok=True)
        names = await asyncio.to_thread(_draw, folder)
        ways, written = [await asyncio.to_thread(_inline, folder, names)], list[Written]()
        for kind, counts in (("simple", COUNTS), ("fork", (2,) if forking else ())):
            for workers in counts:
                await crew.workforce.employ(workers, WorkerKind(kind))
                ways.append(await asyncio.to_thread(_queued, crew, kind, workers, folder, names))
                if kind == "simple" and workers in (min(counts), max(counts)):
                    written.append(await asyncio.to_thread(write_rows, crew, workers, folder))
        await dismiss(crew.workforce)
        ways.append(await asyncio.to_thread(_pooled, folder, names))
        shutil.rmtree(folder)
    return Ways(tuple(ways), cores(), tuple(written))


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _draw(folder: Path) -> list[str]:
    names = [f"picture-{number}.jpg" for number in range(PICTURES)]
    for number, name in enumerate(names):
        if number < DRAWN:
            draw(folder / name, number, *SIZE)
        else:
            shutil.copyfile(folder / names[number % DRAWN], folder / name)
    return names


def _inline(folder: Path, names: Sequence[str]) -> Way:
    began = time.monotonic()
    results = [thumbnails(str(folder), name) for name in names]
    took_s = time.monotonic() - began
    return _way("inline", 1, took_s, took_s, results)


def _queued(crew: Crew, kind: str, workers: int, folder: Path, names: Sequence[str]) -> Way:
    began = time.monotonic()
    jobs = [crew.queue.enqueue(TASK, str(folder), name) for name in names]
    asked_s = time.monotonic() - began
    until(lambda: all(job.is_finished for job in jobs), f"{PICTURES} pictures done by {workers} workers")
    return _way(
        f"RQ, {kind}, {workers}", workers, asked_s, time.monotonic() - began, [job.return_value() for job in jobs]
    )


def _pooled(folder: Path, names: Sequence[str]) -> Way:
    """Two processes, started before the clock is."""
    with process_pool(2) as pool:
        list(pool.map(abs, range(4)))
        began = time.monotonic()
        futures = [pool.submit(thumbnails, str(folder), name) for name in names]
        asked_s = time.monotonic() - began
        results = [future.result() for future in futures]
        return _way("concurrent.futures, 2", 2, asked_s, time.monotonic() - began, results)


def _way(name: str, at_once: int, asked_s: float, took_s: float, results: Sequence[Any]) -> Way:
    checks = tuple(one for result in results for one in result["checks"])
    return Way(name, at_once, asked_s, took_s, sum(result["cpu_s"] for result in results), checks)


def show_thumbnails(seen: Ways) -> None:
    """A table of all ways, and a picture of how much quicker more workers were."""
    print(f"{PICTURES} pictures, {PICTURES * len(SIDES)} thumbnails, {seen.cores} processor core(s) here")
    print(f"{'':<24}{'you waited':>12}{'all done':>10}{'cores busy':>12}")
    for way in seen.ways:
        print(f"{way.name:<24}{way.asked_s:>10.3f} s{way.took_s:>8.2f} s{way.cpu_s / way.took_s:>12.2f}")
    show_written(seen.written)
    alone = seen.by_workers()[1].took_s
    speeds = {count: [alone / way.took_s] for count, way in seen.by_workers().items()}
    bound = [min(count, seen.cores) for count in COUNTS]
    layers = [
        charts.curve("no more than cores", COUNTS, bound),
        charts.measured("measured", speeds, joined=True),
    ]
    title = f"Four workers on {seen.cores} core(s): {speeds[4][0]:.1f} times as quick as one"
    display(charts.chart(title, layers, x="workers", y="times as quick as one worker"))


def quicker(seen: Ways) -> str:
    """What the prediction was about, in a phrase."""
    workers = seen.by_workers()
    return f"× {workers[1].took_s / workers[4].took_s:.1f} with four workers on {seen.cores} core(s)"


def check_thumbnails(seen: Ways) -> None:
    """What section b says; it holds on a machine with any number of cores.

    Raises:
        ClaimError: it is not so.
    """
    inline, *others = seen.ways
    numbers = "; ".join(f"{way.name}: {way.asked_s:.3f} s, {way.took_s:.2f} s, {way.cpu_s:.2f} s" for way in seen.ways)

    def within(bound: Callable[[Way], int]) -> bool:
        return all(way.cpu_s <= ROUNDING * bound(way) * way.took_s for way in seen.ways)

    check(
        Claim("every way made the same thumbnails", len(inline.checks) == PICTURES * len(SIDES) and
              {way.checks for way in seen.ways} == {inline.checks}, numbers),
        Claim("inline you wait for all of it, with a queue or a pool for almost nothing",
              all(way.asked_s < inline.asked_s / 2 for way in others), numbers),
        Claim("nobody had more processor time than there are cores", within(lambda way: seen.cores), numbers),
        Claim("nor more than one core for each worker", within(lambda way: way.at_once), numbers),
        claim_about(seen.written),
    )  # fmt: skip
