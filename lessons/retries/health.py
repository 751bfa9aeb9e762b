"""What an operator sees of a system, and beside it whom it serves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from demo_workers.records.events import ClientOutcome, Kind, Result
from demo_workers.records.run import Run

BROKEN = (Result.FAILED, Result.LOST)


class Health(NamedTuple):
    """A stretch of a run.

    Attributes:
        alive: workers that live at its end.
        workers: how many there should be.
        busy: share of the workers' time (0 to 1) spent on jobs.
        errors: jobs that failed or were lost, and connections that broke, in the whole run.
        came: requests that came for the first time, per second.
        in_time: answers that reached a client who still waited, per second.
    """

    alive: int
    workers: int
    busy: float
    errors: int
    came: float
    in_time: float

    def __str__(self) -> str:
        return (
            f"{self.alive} of {self.workers} workers alive, {self.busy:.0%} busy, {self.errors} errors; "
            f"{self.came:.1f} posts came per second, {self.in_time:.1f} were answered in time"
        )


def health(run: Run, start_s: float, end_s: float) -> Health:
    """Read a run's health off its record.

    Args:
        run: without workers hired or let go.
        start_s: beginning of the stretch, seconds of the run.
        end_s: its end.
    """
    workers, length_s = run.scenario.service.workers, end_s - start_s
    jobs, attempts = run.executions, run.attempts
    worked_s = np.minimum(jobs["finished_s"], end_s) - np.maximum(jobs["picked_s"], start_s)
    came = attempts["due_s"][attempts["attempt"] == 1]
    answered = run.rows(Kind.ANSWERED)
    seen = answered["t"][answered["code"] == ClientOutcome.SUCCEEDED]
    broken = np.sum(np.isin(jobs["result"], BROKEN)) + np.sum(attempts["client_outcome"] == ClientOutcome.ERRORED)
    return Health(
        alive=workers - run.worker_deaths,
        workers=workers,
        busy=float(np.nansum(np.maximum(worked_s, 0.0))) / (workers * length_s),
        errors=int(broken),
        came=_per_second(came, start_s, end_s),
        in_time=_per_second(seen, start_s, end_s),
    )


def _per_second(times: np.ndarray[tuple[int], np.dtype[np.float64]], start_s: float, end_s: float) -> float:
    return float(np.sum((times >= start_s) & (times < end_s))) / (end_s - start_s)
