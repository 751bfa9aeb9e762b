"""Plays a plain queue and makes of its few columns whatever a run is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from demo_workers.records.events import ClientOutcome, NoRetry, Outcome, Result
from demo_workers.records.measures import Measures, ratio, window
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.variates import Stream
from lessons.twin import compiling, tapes
from lessons.twin.plain import COUNTS, Floats, Wholes, count, draw, serve
from lessons.twin.progress import Progress
from lessons.twin.state import ATTEMPT, EXECUTION, INF, NAN, NONE, REGISTERS, REQUEST, Sim


class Plain(NamedTuple):
    """A plain queue that was played; one entry per request in each column.

    Attributes:
        scenario: what was played.
        length_s: seconds of load.
        before_s: what a worker needed before each function.
        until_s: when the run was over.
        grace_s: how long functions could go on after that.
        due_s: when they came.
        service_s: what their jobs took.
        picked_s, depth, worker: see ``plain.serve``.
        taken: how many were taken by a worker.
    """

    scenario: Scenario
    length_s: float
    before_s: float
    until_s: float
    grace_s: float
    due_s: Floats
    service_s: Floats
    picked_s: Floats
    depth: Wholes
    worker: Wholes
    taken: int


def play(
    scenario: Scenario, length_s: float, before_s: float, after_s: float, grace_s: float, heard: Progress
) -> Plain:
    """Draw the tape and play it, with the arguments of the engine."""

    def dice(seed: int, stream: Stream, n: int) -> Floats:
        found = np.empty(n)
        _run(draw, heard, seed, int(stream), found)
        return found

    due_s = tapes.arrivals(scenario, (), length_s, dice)
    n, workers = len(due_s), scenario.service.workers
    service_s = tapes.service_times(scenario.service, dice(scenario.seed, Stream.SERVICE, n))
    limit = n + 1 if scenario.admission.limit is None else scenario.admission.limit
    until_s = length_s + float(scenario.drain_s)
    picked_s, depth, worker = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int16)
    scratch = np.full(workers, INF), np.empty(workers), np.empty(workers, np.int64), np.arange(workers)
    numbers = float(before_s), float(after_s), until_s
    taken = _run(serve, heard, due_s, service_s, limit, *numbers, *scratch, picked_s, depth, worker)
    return Plain(scenario, length_s, before_s, until_s, grace_s, due_s, service_s, picked_s, depth, worker, taken)


def measures(plain: Plain, heard: Progress, run: Run) -> Measures:
    """What ``Measures.of`` would find in the run, to the last bit: the same numbers are added up in the same order."""
    start_s, end_s = window(run)
    n, workers, seconds = len(plain.due_s), plain.scenario.service.workers, end_s - start_s
    waits, sojourns, inside, served = (np.empty(n) for _ in range(4))
    counts = np.zeros(len(COUNTS), np.int64)
    columns = plain.due_s, plain.service_s, plain.picked_s, plain.depth, plain.taken, float(plain.before_s)
    times = plain.until_s, plain.grace_s, float(start_s), float(end_s), float(workers)
    let_in, found = _run(count, heard, *columns, *times, waits, sojourns, inside, served, counts)
    of = dict(zip(COUNTS, counts.tolist(), strict=True))
    in_system, in_service = (float(np.sum(stays[:let_in])) / seconds for stays in (inside, served))
    wait_s, sojourn_s = (float(np.mean(taken[:found])) if found else None for taken in (waits, sojourns))
    quantiles = np.quantile(sojourns[:found], (0.5, 0.95, 0.99), overwrite_input=True).tolist() if found else [None] * 3
    return Measures(
        utilization=ratio(in_service, workers),
        offered_utilization=ratio(of["decided"] * plain.scenario.service.service_time_s / seconds, workers),
        p_wait=ratio(of["queued"], of["admitted"]),
        p_block=ratio(of["shed"], of["decided"]),
        backlog=in_system - in_service,
        in_system=in_system,
        in_service=in_service,
        wait_s=wait_s,
        sojourn_s=sojourn_s,
        sojourn_p50_s=quantiles[0],
        sojourn_p95_s=quantiles[1],
        sojourn_p99_s=quantiles[2],
        throughput=of["finished"] / seconds,
        goodput=of["seen"] / seconds,
        shed_rate=of["shed"] / seconds,
        retry_amplification=ratio(of["decided"], of["decided"]),
    )


def rows(plain: Plain) -> Sim:
    """The rows that the engine would have filled."""
    n, let_in = len(plain.due_s), np.flatnonzero(plain.depth > 0)
    requests = np.zeros(n, REQUEST)
    requests["client"] = tapes.clients_of(plain.scenario, n)
    executions, done = _executions(plain, let_in)
    registers: Any = np.zeros(1, REGISTERS)
    registers["rows"], registers["executions"] = n, len(executions)
    found: dict[str, Any] = dict.fromkeys(Sim._fields, ())  # what else the engine keeps, no table asks for
    found |= {"attempts": _attempts(plain, let_in, done), "requests": requests, "executions": executions}
    return Sim(**(found | {"now": registers}))


def _executions(plain: Plain, let_in: Wholes) -> tuple[Any, Floats]:
    """Executions in the order in which they began, then those that never did; and when each function returned."""
    e = np.zeros(len(let_in), EXECUTION)
    ran = np.arange(len(let_in)) < plain.taken
    e["row"], e["worker"] = let_in, np.where(ran, plain.worker[let_in], NONE)
    e["picked_s"] = np.where(ran, plain.picked_s[let_in], NAN)
    e["started_s"] = e["picked_s"] + plain.before_s
    done_s = e["started_s"] + plain.service_s[let_in]
    ok = done_s <= plain.until_s + plain.grace_s
    e["finished_s"] = np.where(ok, done_s, NAN)
    e["left_s"] = np.where(ok, done_s, np.where(ran, plain.until_s + plain.grace_s, plain.until_s))
    e["result"] = np.where(ok, Result.OK, np.where(ran, Result.LOST, Result.CANCELLED))
    return e, done_s


def _attempts(plain: Plain, let_in: Wholes, done_s: Floats) -> Any:
    n = len(plain.due_s)
    a = np.zeros(n, ATTEMPT)
    shed = plain.depth < 0
    heard = done_s <= plain.until_s  # who has not heard by then gives up
    ended_s = plain.due_s.copy()
    ended_s[let_in] = np.where(heard, done_s, plain.until_s)
    seen = np.zeros(n, bool)
    seen[let_in] = heard
    limit = plain.scenario.admission.limit
    a["request"], a["attempt"] = np.arange(n), 1
    a["due_s"] = a["sent_s"] = plain.due_s
    a["admitted_s"] = np.where(shed, NAN, plain.due_s)
    a["depth_seen"], a["limit"] = np.abs(plain.depth), NONE if limit is None else limit
    a["outcome"] = np.where(shed, Outcome.SHED, Outcome.ADMITTED)
    a["decided_status"] = np.where(shed, 503, 202)
    a["status"] = np.where(shed, 503, np.where(seen, 200, 0))
    a["ended_s"], a["seen_s"] = ended_s, np.where(seen, ended_s, NAN)
    a["answered_s"] = np.where(shed | seen, ended_s, NAN)
    a["backoff_s"] = NAN
    waited = np.where(seen, ClientOutcome.SUCCEEDED, ClientOutcome.GAVE_UP)
    a["client_outcome"] = np.where(shed, ClientOutcome.REFUSED, waited)
    a["no_retry"] = np.where(shed, NoRetry.ATTEMPTS, np.where(seen, NoRetry.DONE, NoRetry.DEADLINE))
    return a


def _run(function: Any, heard: Progress, *arguments: Any) -> Any:
    return compiling.call(function, arguments, heard)
