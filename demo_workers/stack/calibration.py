"""What RQ costs per job on this machine, beside the job's own function.

Fetching a job and putting its result away takes a worker milliseconds. Theory and twin must know how many.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import platformdirs

from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Scenario, Service

QUARTERS = 4


class Calibration(msgspec.Struct, frozen=True):
    """Mean cost of one job (seconds) over ``jobs`` jobs, measured with ``workers`` workers all busy."""

    overhead_s: float
    workers: int
    jobs: int


def scenario(workers: int) -> Scenario:
    """A load that keeps ``workers`` workers busy without a pause for about a second."""
    service_s = 0.02
    return Scenario(
        load=Load(kind="uniform", arrival_rate=1.5 * workers / service_s, duration_s=1.2),
        service=Service(service_time_s=service_s, distribution="deterministic", workers=workers),
        admission=Admission(limit=4 * workers),
        drain_s=1.0,
    )


def overhead(run: Run) -> Calibration:
    """RQ's mean cost per job in a saturated run: the time from one function's end to the next one's start.

    Only gaps between jobs that were already waiting count: a worker that had nothing to do would look slow. It is the
    mean of the quietest of four quarters: another program on the cores can only add to it, and seldom all the time.
    """
    gaps: list[tuple[float, float]] = []
    rows = run.executions[~np.isnan(run.executions["finished_s"])]
    admitted = {(int(a["request"]), int(a["attempt"])): float(a["admitted_s"]) for a in run.attempts}
    for worker in np.unique(rows["worker"]):
        mine = rows[rows["worker"] == worker]
        for last, following in pairwise(mine):
            came = admitted[int(following["request"]), int(following["attempt"])]
            if came < last["started_s"]:
                gaps.append((float(last["finished_s"]), float(following["started_s"] - last["finished_s"])))
    quarters = np.array_split(np.array(sorted(gaps)).reshape(-1, 2)[:, 1], QUARTERS)
    least = min((float(np.mean(quarter)) for quarter in quarters if len(quarter)), default=float("nan"))
    return Calibration(least, len(np.unique(rows["worker"])), len(gaps))


def cached(workers: int) -> Calibration | None:
    """What was measured before on this machine with these versions, if anything."""
    try:
        return msgspec.json.decode(_file(workers).read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError):
        return None


def remember(found: Calibration, workers: int) -> None:
    """Keep a measurement for the next run."""
    path = _file(workers)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(found))


def _file(workers: int) -> Path:
    machine = f"{platform.node()}-{os.cpu_count()}-py{platform.python_version()}-rq{version('rq')}"
    return Path(platformdirs.user_cache_dir("asynchronism-workbook")) / f"calibration-{machine}-simple-{workers}.json"
