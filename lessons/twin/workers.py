"""The workers: they take jobs from the head of the line, and are at them a little longer than the function.

What RQ does before and after the function takes time, and so do its clock and the way to a worker that waits: see
``overheads.Overheads``.
"""

from __future__ import annotations

from demo_workers.policies.admission.codel import take as codel_take
from demo_workers.policies.admission.drop_expired import take as expired_take
from demo_workers.policies.admission.hooks import Taker
from demo_workers.records.events import Result
from demo_workers.variates import Stream
from lessons.twin.calendar import FINISH, FREE, RELEASE, plan
from lessons.twin.clients import completed, displaced, failed
from lessons.twin.drain_rate import finished
from lessons.twin.limit import observe_sojourn
from lessons.twin.line import leave
from lessons.twin.parameters import CODEL, DROP_EXPIRED
from lessons.twin.state import INF, NAN, NONE, Sim
from lessons.twin.uniform import uniform

GONE, HERE, LEAVING = 0, 1, 2
OK, FAILED, DROPPED, LOST = int(Result.OK), int(Result.FAILED), int(Result.DROPPED), int(Result.LOST)
COST, PICKUP = int(Stream.COST), int(Stream.PICKUP)


def hire(s: Sim) -> None:
    """One worker more, ready at once."""
    now = s.now[0]
    if now.workers >= len(s.workers):
        now.overflow = 1
        return
    w = s.workers[now.workers]
    w.here, w.job = HERE, NONE
    _forget_taken(s, now.workers)
    now.workers += 1
    _rest(s, now.workers - 1)


def forget_taken(s: Sim) -> None:
    """The rule by which jobs are taken has changed: what each worker remembered for the old one is void."""
    for worker in range(s.now[0].workers):
        _forget_taken(s, worker)


def resize(s: Sim) -> None:
    """Hire or let go until as many are here as the scenario says; the youngest leave, after the job in hand."""
    now, here = s.now[0], _here(s)
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


def replace(s: Sim) -> None:
    """A dead worker's successor is ready, if it is still wanted."""
    if _here(s) < s.params[s.now[0].turned].workers:
        hire(s)
        work(s)


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


def finish(s: Sim, execution: int) -> None:
    """A function has returned: its client hears of it, the worker still has to put the result away."""
    now, e = s.now[0], s.executions[execution]
    if s.workers[e.worker].job != execution:
        return  # it has died at it
    e.finished_s, e.left_s, e.result = now.t, now.t, OK
    a = s.attempts[e.row]
    a.result = OK
    finished(s)
    observe_sojourn(s, now.t - a.admitted_s)
    cost = s.costs[s.workers[e.worker].cost]
    if cost.after_s > 0:
        if cost.slot_s < cost.after_s:
            plan(s, now.t + cost.slot_s, RELEASE, execution)
        plan(s, now.t + cost.after_s, FREE, execution)
    else:
        free(s, execution)
    completed(s, e.row)


def give_back(s: Sim, execution: int) -> None:
    """The slot is free, though the worker still has something to do."""
    w = s.workers[s.executions[execution].worker]
    if w.job == execution:
        s.now[0].inside -= w.slot
        w.slot = 0


def free(s: Sim, execution: int) -> None:
    """The slot is free, and so is the worker, unless it has been asked to leave."""
    worker = s.executions[execution].worker
    w = s.workers[worker]
    if w.job != execution:
        return
    _lay_down(s, worker)
    _look_on(s, worker)


def die(s: Sim, worker: int) -> None:
    """SIGKILL: the job in hand is lost, its slot is free at once."""
    execution = s.workers[worker].job
    s.workers[worker].here = GONE
    if execution != NONE:
        _lay_down(s, worker)
        _spoil(s, execution, LOST)


def lose_horse(s: Sim, worker: int) -> None:
    """SIGKILL to the work horse of a forking worker: its job has failed, the worker lives on."""
    execution = s.workers[worker].job
    if execution != NONE and s.executions[execution].result != OK:
        _lay_down(s, worker)
        _spoil(s, execution, FAILED)
        _look_on(s, worker)


def ended(s: Sim, row: int, result: int) -> None:
    """A job leaves without having been executed."""
    e = s.executions[_execution(s, row, NONE)]
    e.left_s, e.result = s.now[0].t, result
    s.attempts[row].result = result
    s.now[0].inside -= 1


def _lay_down(s: Sim, worker: int) -> None:
    """A worker holds its job no longer, nor the job its slot."""
    now, w = s.now[0], s.workers[worker]
    now.inside -= w.slot
    now.busy -= 1
    w.job, w.slot = NONE, 0


def _look_on(s: Sim, worker: int) -> None:
    """Whoever has laid down a job looks for the next one, unless it has been asked to leave."""
    if s.workers[worker].here == LEAVING:
        s.workers[worker].here = GONE
    else:
        _rest(s, worker)
        work(s)


def _spoil(s: Sim, execution: int, result: int) -> None:
    """A job has ended badly, unless its function had returned already."""
    e = s.executions[execution]
    if e.result != OK:
        e.result, e.left_s = result, s.now[0].t
        s.attempts[e.row].result = result
        failed(s, e.row)


def _take(s: Sim, worker: int) -> None:
    now, w = s.now[0], s.workers[worker]
    while now.waiting > 0:
        row = now.head
        leave(s, row)
        if _drops(s, worker, row):
            ended(s, row, DROPPED)
            displaced(s, row)
            continue
        execution = _execution(s, row, worker)
        e = s.executions[execution]
        w.job, w.slot, w.cost = execution, 1, _draw(s, COST, row, len(s.costs))
        cost, e.picked_s = s.costs[w.cost], now.t
        if w.idle_s < now.t:  # it was waiting, so the job has to come to it
            e.picked_s += s.pickups_s[_draw(s, PICKUP, row, len(s.pickups_s))]
        e.started_s = e.picked_s + cost.before_s
        now.busy += 1
        service_s = s.requests[s.attempts[row].request].service_s
        plan(s, e.started_s + service_s + cost.stretch_s, FINISH, execution)
        return
    _rest(s, worker)


def _forget_taken(s: Sim, worker: int) -> None:
    """As ``Taker()``."""
    w = s.workers[worker]
    w.above_at_s, w.dropping, w.next_s, w.drops, w.last_drops = INF, 0, 0.0, 0, 0


def _drops(s: Sim, worker: int, row: int) -> bool:
    now, a, w = s.now[0], s.attempts[row], s.workers[worker]
    p = s.params[now.turned]
    if p.take != DROP_EXPIRED and p.take != CODEL:
        return False
    waited_s, expires_s = now.t - a.admitted_s, a.told_expires_s
    taker = Taker(w.above_at_s, w.dropping == 1, w.next_s, w.drops, w.last_drops)
    if p.take == DROP_EXPIRED:
        taker, drop = expired_take(taker, now.t, waited_s, expires_s, p.codel_target_s, p.codel_interval_s)
    else:
        taker, drop = codel_take(taker, now.t, waited_s, expires_s, p.codel_target_s, p.codel_interval_s)
    w.above_at_s, w.dropping, w.next_s = taker.above_at_s, int(taker.dropping), taker.next_s
    w.drops, w.last_drops = taker.drops, taker.last_drops
    return drop


def _here(s: Sim) -> int:
    """Workers that have come and are not leaving."""
    here = 0
    for worker in range(s.now[0].workers):
        here += s.workers[worker].here == HERE
    return here


def _draw(s: Sim, stream: int, row: int, size: int) -> int:
    """Which of ``size`` measured values a job has."""
    a = s.attempts[row]
    return 0 if size == 1 else int(uniform(s.cost_seed, stream, a.request, a.attempt) * size)


def _rest(s: Sim, worker: int) -> None:
    now = s.now[0]
    s.workers[worker].idle_s = now.t
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
