"""Averages of a run over [warm-up, duration], by the names the whole workbook uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.directory import Steer
from demo_workers.records.events import ClientOutcome, Outcome
from demo_workers.records.tables import key

if TYPE_CHECKING:
    from demo_workers.records.run import Run

Floats = NDArray[np.float64]
Which = NDArray[np.bool_]
MAX_CLOCK_S = 1e12


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Rates per second, times in seconds, None where a key does not apply.

    ``wait_s`` and ``sojourn_s`` are of jobs admitted in the window that finished; ``in_system`` and ``in_service`` are
    time averages; ``utilization`` is busy workers over workers; ``shed_rate`` is refusals per second and ``p_block``
    their share of the decided attempts; ``goodput`` counts requests whose client learnt of the completion in time.
    """

    utilization: float | None
    offered_utilization: float | None
    p_wait: float | None
    p_block: float | None
    backlog: float
    in_system: float
    in_service: float
    wait_s: float | None
    sojourn_s: float | None
    sojourn_p50_s: float | None
    sojourn_p95_s: float | None
    sojourn_p99_s: float | None
    throughput: float
    goodput: float
    shed_rate: float
    retry_amplification: float | None

    def to_dict(self) -> dict[str, float | None]:
        """The keys of the command line's ``--json``."""
        return asdict(self)

    @classmethod
    def of(cls, run: Run) -> Measures:
        """Measure a run."""
        start, end = window(run)
        length = end - start
        attempts, executions = run.attempts, run.executions
        decided = _decided(run, start, end)
        admitted = decided & (attempts["outcome"] == Outcome.ADMITTED)
        let_in, asked = int(np.sum(admitted)), int(np.sum(decided))
        shed = int(np.sum(decided & (attempts["outcome"] == Outcome.SHED)))

        finished, seen = (_count(when, start, end) for when in (executions["finished_s"], attempts["seen_s"]))
        wait, sojourn = _journeys(run, admitted)
        in_system = _mean_inside(*stays(run), start, end)
        in_service = _mean_inside(executions["started_s"], _ends(executions["left_s"]), start, end)
        workers = mean_knob(run.steering, "workers", run.scenario.service.workers, start, end)

        sent = (attempts["sent_s"] >= start) & (attempts["sent_s"] < end)
        requests = int(np.sum(np.diff(attempts["request"][sent], prepend=-1) != 0))  # rows are sorted by it
        offered = np.sum(sent & (attempts["attempt"] == 1)) * run.scenario.service.service_time_s / length
        return cls(
            utilization=ratio(in_service, workers),
            offered_utilization=ratio(float(offered), workers),
            p_wait=ratio(float(np.sum(attempts["depth_seen"][admitted] > workers)), let_in),
            p_block=ratio(shed, asked),
            backlog=in_system - in_service,
            in_system=in_system,
            in_service=in_service,
            wait_s=_mean(wait),
            sojourn_s=_mean(sojourn),
            sojourn_p50_s=_quantile(sojourn, 0.5),
            sojourn_p95_s=_quantile(sojourn, 0.95),
            sojourn_p99_s=_quantile(sojourn, 0.99),
            throughput=finished / length,
            goodput=seen / length,
            shed_rate=shed / length,
            retry_amplification=ratio(int(np.sum(sent)), requests),
        )


def mean_knob(steering: Sequence[Steer], knob: str, initial: float, start: float, end: float) -> float:
    """Time average of a knob over [start, end], given its value at the run's start."""
    turned = [entry for entry in steering if entry.knob == knob]
    if not turned:
        return float(initial)  # to the last bit: whoever sees more than so many inside must not be off by rounding
    times = [0.0, *(min(max(entry.t, 0.0), end) for entry in turned), end]
    values = [float(initial), *(float(entry.value) for entry in turned)]
    total = sum(v * max(0.0, b - max(a, start)) for v, a, b in zip(values, times, times[1:], strict=False))
    return total / (end - start)


def requests_in_time(run: Run) -> int:
    """How many requests succeeded within their client's patience, over the whole run."""
    return int(np.sum(run.requests["client_outcome"] == ClientOutcome.SUCCEEDED))


def window(run: Run) -> tuple[float, float]:
    """From when to when (seconds) its averages are taken."""
    return min(run.scenario.warmup, 0.9 * run.length_s), run.length_s


def sojourns(run: Run) -> Floats:
    """Seconds from admission to completion of each job admitted in the window that finished."""
    decided = _decided(run, *window(run))
    return _journeys(run, decided & (run.attempts["outcome"] == Outcome.ADMITTED))[1]


def stays(run: Run) -> tuple[Floats, Floats]:
    """When (seconds) each admitted attempt came in, and when it left (very late: never)."""
    came_s = run.attempts["admitted_s"]
    left_s = np.full(len(came_s), np.nan)
    known, places = _homes(run)
    left_s[places] = run.executions["left_s"][known]
    admitted = ~np.isnan(came_s)
    return came_s[admitted], _ends(left_s[admitted])


def _decided(run: Run, start: float, end: float) -> Which:
    """Which attempts were let in or refused in [start, end), by when that was."""
    rows = run.attempts
    when = np.where(np.isnan(rows["admitted_s"]), rows["sent_s"], rows["admitted_s"])
    decided = np.isin(rows["outcome"], (Outcome.ADMITTED, Outcome.SHED, Outcome.THROTTLED))
    return np.asarray(decided & (when >= start) & (when < end))


def _journeys(run: Run, admitted: Which) -> tuple[Floats, Floats]:
    """Wait and sojourn (seconds) of those attempts whose job finished."""
    known, places = _homes(run)
    finished_s = run.executions["finished_s"][known]
    done = admitted[places] & ~np.isnan(finished_s)
    came_s = run.attempts["admitted_s"][places[done]]
    return run.executions["started_s"][known][done] - came_s, finished_s[done] - came_s


def _homes(run: Run) -> tuple[Which, NDArray[np.intp]]:
    """Which executions are of an attempt on record, and of which each of them is. Columns, not rows: those are wide."""
    keys, wanted = key(run.attempts), key(run.executions)
    places = np.searchsorted(keys, wanted)
    known = places < len(keys)
    known[known] = keys[places[known]] == wanted[known]
    return known, places[known]


def _count(when: Floats, start: float, end: float) -> int:
    return int(np.sum((when >= start) & (when < end)))


def _ends(left: Floats) -> Floats:
    return np.where(np.isnan(left), MAX_CLOCK_S, left)


def _mean_inside(came: Floats, left: Floats, start: float, end: float) -> float:
    """Time average over [start, end] of how many have come and not left."""
    if len(came) == 0:
        return 0.0
    came = np.where(np.isnan(came), MAX_CLOCK_S, came)
    return float(np.sum(np.clip(np.minimum(left, end) - np.maximum(came, start), 0.0, None)) / (end - start))


def ratio(a: float, b: float) -> float | None:
    """a over b; None over nothing."""
    return float(a) / float(b) if b else None


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _quantile(values: Floats, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
