"""What was done to a run on purpose, and what the record says became of it: a line for each kind of fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.directory import Steer
from demo_workers.records.events import Outcome, Result
from demo_workers.records.line import Line
from demo_workers.records.tables import key

if TYPE_CHECKING:
    from demo_workers.records.run import Run

EDGE_S = 0.1
"""A fault takes effect within this of its entry in the steering log."""


def lines(run: Run) -> list[Line]:
    """One line for each kind of fault that happened; none for a run that was left alone."""
    makers = (_deaths, _horses, _frozen, _slow, _full, _ended)
    return [line for make in makers if (line := make(run)) is not None]


def _entries(run: Run, *faults: str) -> list[Steer]:
    return [entry for entry in run.steering if entry.knob in faults]


def _number(worker: object) -> int:
    """A worker's number in the record, from its name."""
    tail = str(worker).rpartition("-w")[2]
    return int(tail) if tail.isdigit() else -1


def _deaths(run: Run) -> Line | None:
    dead = {_number(entry.value) for entry in _entries(run, "worker_died")}
    if not dead:
        return None
    lost = run.executions[run.executions["result"] == Result.LOST]
    strangers = [worker for worker in lost["worker"].tolist() if worker >= 0 and worker not in dead]
    popped = int(np.sum(lost["worker"] < 0))
    text = "dead workers: only what was in their hands was lost"
    numbers = f"{len(dead)} died, {len(lost)} jobs lost, {_twice(run)} ran twice"
    # a run that was ended early has lost what was in everybody's hands
    return Line("fault_workers", text, numbers, (not strangers and popped <= len(dead)) or bool(run.ended_by))


def _horses(run: Run) -> Line | None:
    killed = _entries(run, "kill_horse")
    if not killed:
        return None
    failed = int(np.sum(np.isin(run.executions["result"], (Result.FAILED, Result.LOST))))
    text = "killed work horses: their jobs failed or were lost, at most one each"
    return Line(
        "fault_horses", text, f"{len(killed)} killed, {failed} failed", failed <= len(killed) + run.worker_deaths
    )


def _frozen(run: Run) -> Line | None:
    frozen = _entries(run, "freeze_worker")
    if not frozen:
        return None
    early = held = 0
    for entry in frozen:
        ends = [e.t for e in _entries(run, "thaw_worker", "worker_died") if e.value == entry.value and e.t >= entry.t]
        until = min(ends, default=np.inf)
        mine = run.executions[run.executions["worker"] == _number(entry.value)]
        finished = mine["finished_s"]
        early += int(np.sum((finished > entry.t + EDGE_S) & (finished < until - EDGE_S)))
        began = mine["started_s"] < entry.t + EDGE_S
        held += int(np.sum(began & ~(finished <= entry.t + EDGE_S)))
    text = "frozen workers finished nothing while they stood still"
    numbers = f"{len(frozen)} frozen, {held} jobs in their hands, {early} finished, {_twice(run)} ran twice"
    return Line("fault_frozen", text, numbers, early == 0)


def _slow(run: Run) -> Line | None:
    turned = _entries(run, "slow_network")
    if not turned:
        return None
    rows = run.attempts[~np.isnan(run.attempts["answered_s"])]
    ends = [*(entry.t for entry in turned[1:]), np.inf]
    quickest, ok = np.inf, True
    for entry, end in zip(turned, ends, strict=True):
        there = (rows["sent_s"] > entry.t + EDGE_S) & (rows["answered_s"] < end)
        if float(entry.value) > 0 and there.any():
            took = float(np.min(rows["answered_s"][there] - rows["sent_s"][there]))
            quickest, ok = min(quickest, took), ok and took >= 2 * float(entry.value)
    text = "a slow network (injected): no answer came sooner than both ways take"
    numbers = f"each way {', '.join(f'{float(e.value):g} s' for e in turned)}; quickest answer {quickest:.3f} s"
    return Line("fault_network", text, numbers, ok)


def _full(run: Run) -> Line | None:
    filled = _entries(run, "fill_memory")
    if not filled:
        return None
    rows, let_in, refused = run.attempts, 0, 0
    for entry in filled:
        until = min((e.t for e in _entries(run, "free_memory") if e.t >= entry.t), default=np.inf)
        there = (rows["sent_s"] > entry.t + EDGE_S) & (rows["sent_s"] < until - EDGE_S)
        let_in += int(np.sum(there & (rows["outcome"] == Outcome.ADMITTED)))
        refused += int(np.sum(there & (rows["outcome"] == Outcome.ERRORED)))
    text = "while Redis had no memory left nobody was let in"
    return Line("fault_memory", text, f"{refused} could not be decided, {let_in} let in", let_in == 0)


def _ended(run: Run) -> Line | None:
    fatal = _entries(run, "kill_redis", "kill_gateway", "power_cut")
    if not fatal:
        return None
    lost, pending = int(np.sum(run.fates == Result.LOST)), int(np.sum(run.fates == Result.PENDING))
    open_ = pending - int(np.sum(run.attempts["outcome"] != Outcome.ADMITTED))
    disk = "".join(f"; on disk: {e.value['bytes']} bytes" for e in fatal if isinstance(e.value, dict))
    text = "a part was killed: what was let in and never answered is counted as lost"
    return Line("fault_fatal", text, f"{fatal[0].knob}: {lost} lost{disk}", open_ == 0)


def _twice(run: Run) -> int:
    """Jobs whose function ran more than once."""
    ran = run.executions[~np.isnan(run.executions["started_s"])]
    _, counts = np.unique(key(ran), return_counts=True)
    found: NDArray[np.int64] = counts
    return int(np.sum(found > 1))
