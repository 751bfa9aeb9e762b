"""What RQ costs per job on this machine, beside the time that the job asked for.

Fetching a job and putting its result away takes a worker milliseconds, and so does the way to a worker that waits.
Theory and twin must know how many.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import platformdirs
from numpy.typing import NDArray

from demo_workers.records.events import Kind, Outcome
from demo_workers.records.run import Run
from demo_workers.records.tables import Table, key
from demo_workers.scenario import Load, Scenario, Service
from demo_workers.tape import service_time
from demo_workers.variates import Stream, variate

QUARTERS = 4
SERVICE_S = 0.02
ABOUT_S = {"simple": 0.003, "fork": 0.016}
"""About what RQ costs with a worker of each class; only the load's height depends on it."""
QUIET_S, BUSY_S = 0.6, 1.2
"""First there is little to do, then more than all workers can."""
LONG_IDLE = 3.0
"""A worker waits for work once its last job ended so many times ``overhead_after_s`` ago."""

Floats = NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True):
    """Mean cost of one job (seconds) over ``jobs`` jobs, measured with ``workers`` workers all busy.

    Attributes:
        overhead_before_s: from having taken a job to the start of its function; part of the job's sojourn.
        overhead_after_s: from the function's end to having taken the next job, one that waits: the worker puts the
            result away and asks for more. It is no part of the sojourn.
        workers: how many worked at the same time.
        jobs: how many costs were measured.
        worker_class: ``simple`` or ``fork``.
        stretch_s: how much longer a function takes than its job had asked for.
        slot_s: how long of ``overhead_after_s`` a job still counts as inside.
        pickup_s: from admission to having been taken by a worker that waited for work.
        samples: single costs (before, stretch, after), for whoever wants to draw them again.
        pickups_s: single ``pickup_s``.
    """

    overhead_before_s: float
    overhead_after_s: float
    workers: int
    jobs: int
    worker_class: str = "simple"
    stretch_s: float = 0.0
    slot_s: float = 0.0
    pickup_s: float = 0.0
    samples: tuple[tuple[float, float, float], ...] = ()
    pickups_s: tuple[float, ...] = ()

    @property
    def overhead_s(self) -> float:
        """Before and after together: what a job costs a worker beside its own function."""
        return self.overhead_before_s + self.overhead_after_s


def scenario(workers: int, worker_class: str = "simple", service_time_s: float = SERVICE_S) -> Scenario:
    """A load that first lets ``workers`` workers wait, and then keeps them busy without a pause for about a second.

    Args:
        workers: how many.
        worker_class: of which kind.
        service_time_s: of each job. The shorter it is the more RQ has to do, and RQ's processes wait for each other.
    """
    rate = workers / (service_time_s + ABOUT_S[worker_class])
    return Scenario(
        load=Load(kind="steps", steps=((0.0, 0.3 * rate), (QUIET_S, 1.4 * rate)), duration_s=QUIET_S + BUSY_S),
        service=Service(
            service_time_s=service_time_s,
            distribution="deterministic",
            workers=workers,
            worker_class=cast("Any", worker_class),
        ),
        drain_s=1.0,
    )


class _Costs(NamedTuple):
    """Of single jobs: (when, before, stretch, after) where they had waited, in the order of time, and ``pickup_s`` of
    those that had not.
    """

    busy: Floats
    pickups_s: Floats


def overhead(run: Run, *more: Run, quarters: int = QUARTERS) -> Calibration:
    """RQ's mean cost per job in runs that had workers busy and idle.

    What RQ does between two jobs counts only where the second one was already waiting: a worker that had nothing to do
    would look slow. It is the mean of the quietest of four quarters: another program on the cores can only add to it,
    and seldom all the time.

    Args:
        run: of ``scenario``, or any other without turned knobs.
        more: others with as many workers.
        quarters: 1 takes all jobs as they are, whatever else went on.
    """
    runs = (run, *more)
    found = _Costs(*map(np.concatenate, zip(*map(_costs, runs), strict=True)))
    parts = [part for part in np.array_split(found.busy[:, 1:], quarters) if len(part)]
    least = min(parts or [np.full((1, 3), np.nan)], key=lambda part: float(np.mean(np.sum(part, axis=1))))
    before_s, stretch_s, after_s = (float(mean) for mean in np.mean(least, axis=0))
    return Calibration(
        overhead_before_s=before_s,
        overhead_after_s=after_s,
        workers=len(np.unique(_finished(run)["worker"])),
        jobs=len(found.busy),
        worker_class=run.scenario.service.worker_class,
        stretch_s=stretch_s,
        slot_s=min(float(np.mean([_slot_s(one) for one in runs])), after_s),
        pickup_s=float(np.mean(found.pickups_s)) if len(found.pickups_s) else 0.0,
        samples=tuple((round(float(a), 6), round(float(b), 6), round(float(c), 6)) for a, b, c in least),
        pickups_s=tuple(round(float(pickup), 6) for pickup in found.pickups_s),
    )


def _costs(run: Run) -> _Costs:
    rows = _finished(run)
    admitted = _admitted_s(run, rows)
    asked = np.array([_asked_s(run.scenario, int(request)) for request in rows["request"]])
    stretch = rows["finished_s"] - rows["started_s"] - asked
    busy, idle = [], []
    for worker in np.unique(rows["worker"]):
        for i, j in pairwise(np.flatnonzero(rows["worker"] == worker)):
            end, picked = rows["finished_s"][i], rows["picked_s"][j]
            if admitted[j] < end:
                busy.append((end, rows["started_s"][j] - picked, stretch[j], picked - end))
            else:
                idle.append((admitted[j] - end, picked - admitted[j]))
    costs, waits = np.array(sorted(busy)).reshape(-1, 4), np.array(idle).reshape(-1, 2)
    long_s = LONG_IDLE * float(np.mean(costs[:, 3])) if len(costs) else np.inf
    return _Costs(costs, waits[waits[:, 0] > long_s, 1])


def _finished(run: Run) -> Table:
    return np.asarray(run.executions[~np.isnan(run.executions["finished_s"])])


def _asked_s(scenario: Scenario, request: int) -> float:
    """The service time that the tape gives a request (seconds)."""
    return service_time(scenario.service, variate(scenario.seed, Stream.SERVICE, request))


def _admitted_s(run: Run, rows: Table) -> Floats:
    return np.asarray(run.attempts["admitted_s"][np.searchsorted(key(run.attempts), key(rows))])


def _slot_s(run: Run) -> float:
    """How long jobs go on counting as inside after their function's end (seconds).

    Whoever is let in hears how many are inside, and that is more than the record has by those whose slot is not free
    yet. So of all the times from a job's end to somebody's admission, that many are shorter than what is asked for.
    """
    seen = run.events[(run.events["kind"] == Kind.DECIDED) & (run.events["code"] == Outcome.ADMITTED)]
    seen = seen[np.argsort(seen["t"], kind="stable")]
    ends = np.sort(run.executions["left_s"][~np.isnan(run.executions["left_s"])])
    since = np.sort((seen["t"][:, None] - ends[None, :]).ravel())
    since = since[since > 0]
    more = int(np.sum(seen["depth"] - np.arange(1, len(seen) + 1) + np.searchsorted(ends, seen["t"])))
    return float(since[more]) if 0 < more < len(since) else 0.0


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
