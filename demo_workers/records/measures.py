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
        admitted = decided[decided["outcome"] == Outcome.ADMITTED]
        shed = int(np.sum(decided["outcome"] == Outcome.SHED))

        done = executions[~np.isnan(executions["finished_s"])]
        finished = np.sum((done["finished_s"] >= start) & (done["finished_s"] < end))
        wait, sojourn = _journeys(run, admitted)
        in_system = _mean_inside(*stays(run), start, end)
        in_service = _mean_inside(executions["started_s"], _ends(executions["left_s"]), start, end)
        workers = mean_knob(run.steering, "workers", run.scenario.service.workers, start, end)

        sent = attempts[(attempts["sent_s"] >= start) & (attempts["sent_s"] < end)]
        seen = run.requests["seen_s"]
        requests = len(np.unique(sent["request"]))
        offered = np.sum(sent["attempt"] == 1) * run.scenario.service.service_time_s / length
        return cls(
            utilization=_ratio(in_service, workers),
            offered_utilization=_ratio(float(offered), workers),
            p_wait=_ratio(float(np.sum(admitted["depth_seen"] > workers)), len(admitted)),
            p_block=_ratio(shed, len(decided)),
            backlog=in_system - in_service,
            in_system=in_system,
            in_service=in_service,
            wait_s=_mean(wait),
            sojourn_s=_mean(sojourn),
            sojourn_p50_s=_quantile(sojourn, 0.5),
            sojourn_p95_s=_quantile(sojourn, 0.95),
            sojourn_p99_s=_quantile(sojourn, 0.99),
            throughput=float(finished) / length,
            goodput=float(np.sum((seen >= start) & (seen < end))) / length,
            shed_rate=shed / length,
            retry_amplification=_ratio(len(sent), requests),
        )


def mean_knob(steering: Sequence[Steer], knob: str, initial: float, start: float, end: float) -> float:
    """Time average of a knob over [start, end], given its value at the run's start."""
    turned = [entry for entry in steering if entry.knob == knob]
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
    return _journeys(run, decided[decided["outcome"] == Outcome.ADMITTED])[1]


def stays(run: Run) -> tuple[Floats, Floats]:
    """When (seconds) each admitted attempt came in, and when it left (very late: never)."""
    rows = run.attempts[~np.isnan(run.attempts["admitted_s"])]
    left = np.full(len(rows), np.nan)
    left[_places(rows, run.executions)] = run.executions["left_s"][_known(rows, run.executions)]
    return rows["admitted_s"], _ends(left)


def _decided(run: Run, start: float, end: float) -> NDArray[np.void]:
    """The attempts that were let in or refused in [start, end), by when that was."""
    rows = run.attempts[np.isin(run.attempts["outcome"], (Outcome.ADMITTED, Outcome.SHED, Outcome.THROTTLED))]
    when = np.where(np.isnan(rows["admitted_s"]), rows["sent_s"], rows["admitted_s"])
    return np.asarray(rows[(when >= start) & (when < end)])


def _journeys(run: Run, admitted: NDArray[np.void]) -> tuple[Floats, Floats]:
    """Wait and sojourn (seconds) of those admitted rows whose job finished."""
    known = _known(admitted, run.executions)
    executions, rows = run.executions[known], admitted[_places(admitted, run.executions)]
    done = ~np.isnan(executions["finished_s"])
    wait = executions["started_s"][done] - rows["admitted_s"][done]
    return wait, executions["finished_s"][done] - rows["admitted_s"][done]


def _known(rows: NDArray[np.void], executions: NDArray[np.void]) -> NDArray[np.bool_]:
    return np.isin(key(executions), key(rows))


def _places(rows: NDArray[np.void], executions: NDArray[np.void]) -> NDArray[np.intp]:
    return np.searchsorted(key(rows), key(executions)[_known(rows, executions)])


def _ends(left: Floats) -> Floats:
    return np.where(np.isnan(left), MAX_CLOCK_S, left)


def _mean_inside(came: Floats, left: Floats, start: float, end: float) -> float:
    """Time average over [start, end] of how many have come and not left."""
    if len(came) == 0:
        return 0.0
    came = np.where(np.isnan(came), MAX_CLOCK_S, came)
    return float(np.sum(np.clip(np.minimum(left, end) - np.maximum(came, start), 0.0, None)) / (end - start))


def _ratio(a: float, b: float) -> float | None:
    return float(a) / float(b) if b else None


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _quantile(values: Floats, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
