"""What RQ costs per job on this machine, beside the job's own function.

Fetching a job and putting its result away takes a worker milliseconds. Theory and twin must know how many.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import platformdirs

from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Scenario, Service

QUARTERS = 4


class Calibration(msgspec.Struct, frozen=True):
    """Mean cost of one job (seconds) over ``jobs`` jobs, measured with ``workers`` workers all busy.

    Attributes:
        overhead_before_s: from having taken a job to the start of its function; part of the job's sojourn.
        overhead_after_s: from the function's end to having taken the next job, one that waits: the worker puts the
            result away and asks for more. It holds worker and slot, and is no part of the sojourn.
        workers: how many worked at the same time.
        jobs: how many costs were measured.
        worker_class: ``simple`` or ``fork``.
        samples: single costs (before, after), for whoever wants to draw them again.
    """

    overhead_before_s: float
    overhead_after_s: float
    workers: int
    jobs: int
    worker_class: str = "simple"
    samples: tuple[tuple[float, float], ...] = ()

    @property
    def overhead_s(self) -> float:
        """Both together: what a job costs a worker beside its own function."""
        return self.overhead_before_s + self.overhead_after_s


def scenario(workers: int, worker_class: str = "simple") -> Scenario:
    """A load that keeps ``workers`` workers busy without a pause for about a second."""
    service_s = 0.02
    return Scenario(
        load=Load(kind="uniform", arrival_rate=1.5 * workers / service_s, duration_s=1.2),
        service=Service(
            service_time_s=service_s,
            distribution="deterministic",
            workers=workers,
            worker_class=cast("Any", worker_class),
        ),
        admission=Admission(limit=4 * workers),
        drain_s=1.0,
    )


def overhead(run: Run) -> Calibration:
    """RQ's mean cost per job in a saturated run: the time from one function's end to the next one's start.

    Only jobs that were already waiting count: a worker that had nothing to do would look slow. It is the mean of the
    quietest of four quarters: another program on the cores can only add to it, and seldom all the time.
    """
    costs: list[tuple[float, float, float]] = []  # when, before, after
    rows = run.executions[~np.isnan(run.executions["finished_s"])]
    admitted = {(int(a["request"]), int(a["attempt"])): float(a["admitted_s"]) for a in run.attempts}
    for worker in np.unique(rows["worker"]):
        mine = rows[rows["worker"] == worker]
        for last, following in pairwise(mine):
            if admitted[int(following["request"]), int(following["attempt"])] < last["started_s"]:
                end, picked, start = (
                    float(t) for t in (last["finished_s"], following["picked_s"], following["started_s"])
                )
                costs.append((end, start - picked, picked - end))
    quarters = np.array_split(np.array(sorted(costs)).reshape(-1, 3)[:, 1:], QUARTERS)
    full = [quarter for quarter in quarters if len(quarter)] or [np.full((1, 2), np.nan)]
    least = min(full, key=lambda quarter: float(np.mean(np.sum(quarter, axis=1))))
    before_s, after_s = np.mean(least, axis=0)
    return Calibration(
        overhead_before_s=float(before_s),
        overhead_after_s=float(after_s),
        workers=len(np.unique(rows["worker"])),
        jobs=len(costs),
        worker_class=run.scenario.service.worker_class,
        samples=tuple((round(float(a), 6), round(float(b), 6)) for a, b in least),
    )


def cached(workers: int, worker_class: str) -> Calibration | None:
    """What was measured before on this machine with these versions, if anything."""
    try:
        return msgspec.json.decode(_file(workers, worker_class).read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError):
        return None


def remember(found: Calibration, workers: int) -> None:
    """Keep a measurement for the next run."""
    path = _file(workers, found.worker_class)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(found))


def _file(workers: int, worker_class: str) -> Path:
    machine = f"{platform.node()}-{os.cpu_count()}-py{platform.python_version()}-rq{version('rq')}"
    name = f"calibration-{machine}-{worker_class}-{workers}.json"
    return Path(platformdirs.user_cache_dir("asynchronism-workbook")) / name
