"""Section b: more workers are more clients of whatever they all call. Here that is one database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from demo_workers.queueing import album
from lessons.check.claims import Claim
from lessons.task_queues.lesson import Crew, until

ROWS, HOLD_S = 6, 0.04
"""A transaction of the shared database takes so long, and it lets in one at a time."""


class Written(NamedTuple):
    """Rows written into one database.

    Attributes:
        workers: how many wrote.
        took_s: until all had been written, seconds.
        rows: how many are there.
    """

    workers: int
    took_s: float
    rows: int

    def __str__(self) -> str:
        return f"{self.workers} worker(s) {self.took_s:.2f} s"


def write_rows(crew: Crew, workers: int, folder: Path) -> Written:
    """Let a crew write into a new database; for use in a thread.

    Args:
        crew: its workers are there.
        workers: how many.
        folder: for the database.
    """
    path = folder / f"album-{workers}.db"
    album.create(path)
    began = time.monotonic()
    jobs = [crew.queue.enqueue(album.add, str(path), f"picture {n}", HOLD_S) for n in range(ROWS)]
    until(lambda: all(job.is_finished for job in jobs), f"{ROWS} rows written by {workers} worker(s)")
    return Written(workers, time.monotonic() - began, album.count(path))


def show_written(written: tuple[Written, ...]) -> None:
    """How long it took few and many workers."""
    print(f"{ROWS} rows in one database, {ROWS * HOLD_S:.2f} s in all if one by one: {', '.join(map(str, written))}")


def claim_about(written: tuple[Written, ...]) -> Claim:
    """What section b says of a shared database."""
    one_by_one = all(one.rows == ROWS and one.took_s >= ROWS * HOLD_S for one in written)
    return Claim("at one database many workers, too, wrote one after another", one_by_one, str(written))
