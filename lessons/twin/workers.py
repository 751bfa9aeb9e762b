"""The workers: they take jobs from the head of the line, and hold worker and slot a little longer than the function."""

from __future__ import annotations

from demo_workers.policies.admission.codel import take as codel_take
from demo_workers.policies.admission.drop_expired import take as expired_take
from demo_workers.policies.admission.hooks import Taker
from demo_workers.records.events import Result
from lessons.twin.calendar import FINISH, FREE, plan
from lessons.twin.clients import completed, displaced, failed
from lessons.twin.drain_rate import finished
from lessons.twin.limit import observe_sojourn
from lessons.twin.line import leave
from lessons.twin.parameters import CODEL, DROP_EXPIRED
from lessons.twin.state import INF, NAN, NONE, Sim

GONE, HERE, LEAVING = 0, 1, 2
OK, DROPPED, LOST = int(Result.OK), int(Result.DROPPED), int(Result.LOST)


def hire(s: Sim) -> None:
    """One worker more, ready at once."""
    now = s.now[0]
    if now.workers >= len(s.workers):
        now.overflow = 1
        return
    w = s.workers[now.workers]
    w.here, w.job, w.above_at_s = HERE, NONE, INF  # as ``Taker()``
    now.workers += 1
    _rest(s, now.workers - 1)


def resize(s: Sim) -> None:
    """Hire or let go until as many are here as the scenario says; the youngest leave, after the job in hand."""
    now, here = s.now[0], 0
    for worker in range(now.workers):
        here += s.workers[worker].here == HERE
    wanted = s.params[now.turned].workers
    while here < wanted and now.overflow == 0:
        hire(s)
        here += 1
    worker = now.workers - 1
    while here > wanted:
        w = s.workers[worker]
        if w.here == HERE:
            w.here = GONE if w.job == NONE else LEAVING
            here -= 1
        worker -= 1


def work(s: Sim) -> None:
    """Let idle workers take what waits."""
    now = s.now[0]
    while now.waiting > 0 and now.idle > 0:
        worker = s.idle[now.idle_from]
        now.idle_from = (now.idle_from + 1) % len(s.idle)
        now.idle -= 1
        w = s.workers[worker]
        if w.here == HERE and w.job == NONE:
            _take(s, worker)


def finish(s: Sim, worker: int) -> None:
    """A function has returned: its client hears of it, the worker still has to put the result away."""
    now = s.now[0]
    e = s.executions[s.workers[worker].job]
    e.finished_s, e.left_s, e.result = now.t, now.t, OK
    a = s.attempts[e.row]
    a.result = OK
    finished(s)
    observe_sojourn(s, now.t - a.admitted_s)
    after_s = s.params[now.turned].overhead_after_s
    if after_s > 0:
        plan(s, now.t + after_s, FREE, worker)
    else:
        free(s, worker)
    completed(s, e.row)


def free(s: Sim, worker: int) -> None:
    """The slot is free, and so is the worker, unless it has been asked to leave."""
    now, w = s.now[0], s.workers[worker]
    w.job = NONE
    now.inside -= 1
    now.busy -= 1
    if w.here == LEAVING:
        w.here = GONE
    else:
        _rest(s, worker)
        work(s)


def die(s: Sim, worker: int) -> None:
    """SIGKILL: the job in hand is lost, its slot is free at once."""
    now, w = s.now[0], s.workers[worker]
    execution = w.job
    w.here, w.job = GONE, NONE
    if execution == NONE:
        return
    now.inside -= 1
    now.busy -= 1
    e = s.executions[execution]
    if e.result != OK:
        e.result, e.left_s = LOST, now.t
        s.attempts[e.row].result = LOST
        failed(s, e.row)


def ended(s: Sim, row: int, result: int) -> None:
    """A job leaves without having been executed."""
    e = s.executions[_execution(s, row, NONE)]
    e.left_s, e.result = s.now[0].t, result
    s.attempts[row].result = result
    s.now[0].inside -= 1


def _take(s: Sim, worker: int) -> None:
    now = s.now[0]
    p = s.params[now.turned]
    while now.waiting > 0:
        row = now.head
        leave(s, row)
        if _drops(s, worker, row):
            ended(s, row, DROPPED)
            displaced(s, row)
            continue
        execution = _execution(s, row, worker)
        e = s.executions[execution]
        e.picked_s, e.started_s = now.t, now.t + p.overhead_before_s
        s.workers[worker].job = execution
        now.busy += 1
        plan(s, e.started_s + s.requests[s.attempts[row].request].service_s, FINISH, worker)
        return
    _rest(s, worker)


def _drops(s: Sim, worker: int, row: int) -> bool:
    now, a, w = s.now[0], s.attempts[row], s.workers[worker]
    p = s.params[now.turned]
    if p.take != DROP_EXPIRED and p.take != CODEL:
        return False
    waited_s, expires_s = now.t - a.admitted_s, a.expires_s if p.propagate == 1 else INF
    taker = Taker(w.above_at_s, w.dropping == 1, w.next_s, w.drops, w.last_drops)
    if p.take == DROP_EXPIRED:
        taker, drop = expired_take(taker, now.t, waited_s, expires_s, p.codel_target_s, p.codel_interval_s)
    else:
        taker, drop = codel_take(taker, now.t, waited_s, expires_s, p.codel_target_s, p.codel_interval_s)
    w.above_at_s, w.dropping, w.next_s = taker.above_at_s, int(taker.dropping), taker.next_s
    w.drops, w.last_drops = taker.drops, taker.last_drops
    return drop


def _rest(s: Sim, worker: int) -> None:
    now = s.now[0]
    s.idle[(now.idle_from + now.idle) % len(s.idle)] = worker
    now.idle += 1


def _execution(s: Sim, row: int, worker: int) -> int:
    now = s.now[0]
    execution = int(now.executions)
    if execution + 1 >= len(s.executions):
        now.overflow = 1  # the last row is overwritten, and the whole is played again with more room
        execution -= 1
    now.executions = execution + 1
    e = s.executions[execution]
    e.row, e.worker, e.result = row, worker, 0
    e.picked_s, e.started_s, e.finished_s, e.left_s = NAN, NAN, NAN, NAN
    return execution
