"""The main loop: whatever comes next, the tape, the calendar or a turned knob, happens.

This package keeps to the Python that Numba can compile: numbers, records and functions, no objects and no exceptions.
"""

from __future__ import annotations

from demo_workers.policies.adaptive_throttling import Throttle
from demo_workers.policies.circuit_breaker import Breaker
from demo_workers.policies.retry_budget import RetryBudget
from demo_workers.policies.token_bucket import TokenBucket
from demo_workers.records.events import Result
from demo_workers.scenario import MAX_SERVICE_S
from demo_workers.variates import Stream
from lessons.twin.calendar import FINISH, FREE, HIRED, PATIENCE, PUSH, RELEASE, RETRY, THINK, next_s, plan, pop, stretch
from lessons.twin.clients import GAVE_UP, close
from lessons.twin.door import attempt, push
from lessons.twin.line import PUSHING, leave
from lessons.twin.state import INF, NONE, Column, Sim
from lessons.twin.uniform import uniform
from lessons.twin.workers import (
    GONE,
    HERE,
    die,
    ended,
    finish,
    forget_taken,
    free,
    give_back,
    lose_horse,
    replace,
    resize,
    work,
)

CANCELLED = int(Result.CANCELLED)
URGENT = int(Stream.URGENT)
HORSES = -2
"""Not a worker dies but the work horse of worker n, where a turn names HORSES − n."""
RESPAWN_S = 0.5
"""How long a dead worker's successor takes to be ready: about what starting a Python with RQ takes."""

BREAKER_SINCE_S, BUDGET_AT_S = Breaker().since_s, RetryBudget().at_s  # their other numbers begin at 0
assert not any((*Throttle(), *TokenBucket(), *Breaker()[:2], *RetryBudget()[:2]))


def play(s: Sim, turns: Column, killed: Column, end_s: float, drain_s: float, grace_s: float) -> None:
    """Play all requests and what follows from them, to the end of the drain.

    Args:
        s: the twin, fresh.
        turns: when the next row of ``params`` is in force (seconds), in order.
        killed: at each turn, the number of the worker that dies, HORSES minus that of the one whose work horse dies, or
            NONE for a knob.
        end_s: the load's end.
        drain_s: how long accepted work may take after that.
        grace_s: how long functions that run may go on after that.
    """
    now, clients = s.now[0], s.params[0].clients
    resize(s)
    for request in range(clients):
        plan(s, s.thinks[request] * s.params[0].think_time_s, THINK, request)
    arrivals = 0 if clients > 0 else len(s.requests)
    _run(s, arrivals, turns, killed, end_s, end_s)
    now.stopped = 1
    _run(s, arrivals, turns, killed, end_s, end_s + drain_s)
    _cut(s)
    _run(s, 0, turns, killed, end_s, now.t + grace_s)
    for worker in range(now.workers):
        die(s, worker)  # whoever is still at a job then is killed


def _run(s: Sim, arrivals: int, turns: Column, killed: Column, end_s: float, until_s: float) -> None:
    """Let everything up to ``until_s`` happen, or until all is done after the load's end."""
    now = s.now[0]
    while now.overflow == 0:
        turn_s = turns[now.turned] if now.turned < len(turns) else INF
        arrival_s = s.requests[now.next].due_s if now.next < arrivals else INF
        planned_s = next_s(s)
        t = min(turn_s, planned_s, arrival_s)
        if t > until_s or (t > end_s and now.going == 0 and now.waiting == 0 and now.busy == 0):
            break
        now.t = t
        if turn_s <= t:
            _turn(s, killed[now.turned])
        elif planned_s <= t:
            _happen(s)
        else:
            request = now.next
            now.next += 1
            now.going += 1
            attempt(s, request)
    if until_s > now.t and now.going + now.waiting + now.busy > 0:
        now.t = until_s


def _happen(s: Sim) -> None:
    """The next thing on the calendar."""
    now = s.now[0]
    _, kind, what = pop(s)
    if kind == FINISH:
        finish(s, what)
    elif kind == RELEASE:
        give_back(s, what)
    elif kind == FREE:
        free(s, what)
    elif kind == PATIENCE:
        if s.attempts[what].out == 1:
            close(s, what, s.attempts[what].expiry, 0, -1.0)
    elif kind == RETRY:
        if now.closing == 0:
            attempt(s, what)
    elif kind == THINK:
        if now.stopped == 0:
            _draw(s, what)
            now.going += 1
            attempt(s, what)
    elif kind == PUSH:
        push(s, what)
    elif kind == HIRED:
        replace(s)


def _draw(s: Sim, request: int) -> None:
    """Closed loop: a request begins, and is what the knobs in force say."""
    now, r = s.now[0], s.requests[request]
    p = s.params[now.turned]
    r.due_s = now.t
    r.service_s = min(r.service_s * p.service_scale, MAX_SERVICE_S)
    r.urgent = int(p.urgent_share > 0 and uniform(s.seed, URGENT, request, 0) < p.urgent_share)


def _turn(s: Sim, killed: int) -> None:
    """A knob was turned, or a worker or a work horse died."""
    now = s.now[0]
    now.turned += 1
    if killed == NONE:
        _steer(s)
    elif killed <= HORSES:
        if HORSES - killed < now.workers:
            lose_horse(s, HORSES - killed)
    elif killed < now.workers and s.workers[killed].here != GONE:
        staying = s.workers[killed].here == HERE
        die(s, killed)
        if staying:
            plan(s, now.t + RESPAWN_S, HIRED, 0)


def _steer(s: Sim) -> None:
    now = s.now[0]
    old, new = s.params[now.turned - 1], s.params[now.turned]
    _forget(s)
    if (new.take, new.codel_target_s, new.codel_interval_s) != (old.take, old.codel_target_s, old.codel_interval_s):
        forget_taken(s)
    if new.workers != old.workers:
        resize(s)
        work(s)
    if new.think_time_s != old.think_time_s and old.think_time_s > 0:
        stretch(s, THINK, new.think_time_s / old.think_time_s)


def _forget(s: Sim) -> None:
    """A guard that is left out forgets what it knows, as ``services.clients.guards`` does."""
    now = s.now[0]
    p = s.params[now.turned]
    if p.throttle_k < 0:
        now.throttle_requests, now.throttle_accepts, now.throttle_at_s = 0.0, 0.0, 0.0
    if p.breaker_failures < 0:
        now.breaker_position, now.breaker_failures, now.breaker_since_s = 0, 0, BREAKER_SINCE_S
    if p.bucket_tokens < 0:
        now.bucket_missing = 0.0
    if p.budget_ratio < 0:
        now.budget_tokens, now.budget_requests, now.budget_at_s = 0.0, 0.0, BUDGET_AT_S


def _cut(s: Sim) -> None:
    """The run is over: clients give up, and what waits is taken back."""
    now = s.now[0]
    now.closing = 1
    for row in range(now.rows):
        if s.attempts[row].out == 1:
            close(s, row, GAVE_UP, 0, -1.0)
        if s.attempts[row].before == PUSHING:
            now.inside += 1
            ended(s, row, CANCELLED)
    now.going = 0  # the others were waiting for a retry that will not come
    while now.waiting > 0:
        row = now.head
        leave(s, row)
        ended(s, row, CANCELLED)
