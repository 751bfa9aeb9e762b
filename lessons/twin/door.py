"""An attempt comes due: the client's guards, the gateway's door, the queue."""

from __future__ import annotations

from demo_workers.policies.adaptive_throttling import Throttle
from demo_workers.policies.adaptive_throttling import allow as throttle_allows
from demo_workers.policies.admission.drop_oldest import place as place_drop_oldest
from demo_workers.policies.admission.fifo import place as place_fifo
from demo_workers.policies.admission.hooks import Place, Queue
from demo_workers.policies.admission.lifo import place as place_lifo
from demo_workers.policies.admission.priority import place as place_priority
from demo_workers.policies.circuit_breaker import Breaker
from demo_workers.policies.circuit_breaker import allow as breaker_allows
from demo_workers.policies.rate_limit import RateLimit
from demo_workers.policies.rate_limit import take as take_token
from demo_workers.policies.retry_budget import RetryBudget, earn
from demo_workers.records.events import Guard, Outcome
from demo_workers.variates import Stream
from lessons.twin.calendar import PATIENCE, PUSH, plan
from lessons.twin.clients import ERRORED, GAVE_UP, REFUSED, SUCCEEDED, TIMED_OUT, close, displaced
from lessons.twin.drain_rate import per_second, retry_after_s
from lessons.twin.hooks import ask_admit
from lessons.twin.limit import limit_in_force
from lessons.twin.line import HEAD, PUSHING, TAIL, URGENT, leave, put
from lessons.twin.parameters import CUSTOM_ADMIT, DROP_OLDEST, LIFO, NAIVE, PRIORITY
from lessons.twin.state import INF, NAN, NONE, Sim
from lessons.twin.uniform import uniform
from lessons.twin.workers import DROPPED, FAILED, LOST, OK, ended, work

ADMITTED, DUPLICATE = int(Outcome.ADMITTED), int(Outcome.DUPLICATE)
SHED, THROTTLED = int(Outcome.SHED), int(Outcome.THROTTLED)
BREAKER, THROTTLE = int(Guard.BREAKER), int(Guard.THROTTLE)
COIN = int(Stream.GUARD)


def attempt(s: Sim, request: int) -> None:
    """A request's next attempt is due now."""
    now = s.now[0]
    row, p, r = now.rows, s.params[now.turned], s.requests[request]
    if row >= len(s.attempts):
        now.overflow = 1
        return
    now.rows += 1
    r.tries += 1
    r.current = row
    a = s.attempts[row]
    a.request, a.attempt, a.due_s, a.out = request, r.tries, now.t, 1
    a.depth_seen, a.limit = NONE, NONE
    a.sent_s, a.admitted_s, a.answered_s, a.seen_s, a.backoff_s, a.ended_s = NAN, NAN, NAN, NAN, NAN, NAN
    patient_until_s, deadline_s = now.t + p.timeout_s, r.due_s + p.deadline_s
    a.expires_s = min(patient_until_s, deadline_s)
    a.expiry = TIMED_OUT if patient_until_s <= deadline_s else GAVE_UP
    a.told_expires_s = a.expires_s if p.propagate == 1 else INF
    if r.tries == 1:
        r.keyed = p.keyed
    if r.tries == 1 and p.budget_ratio >= 0:
        budget = RetryBudget(now.budget_tokens, now.budget_requests, now.budget_at_s)
        budget = earn(budget, now.t, p.budget_ratio, p.budget_floor_per_s)
        now.budget_tokens, now.budget_requests, now.budget_at_s = budget
    a.guard = _guard(s, request, r.tries)
    if a.guard != NONE:
        a.outcome = THROTTLED
        close(s, row, REFUSED, 0, -1.0)
        return
    a.sent_s = now.t
    _knock(s, row)
    if a.out == 1 and a.expires_s < INF:
        plan(s, a.expires_s, PATIENCE, row)


def push(s: Sim, row: int) -> None:
    """``naive``: whatever the length is by now, the job goes in."""
    if s.now[0].closing == 1:
        return  # taken back meanwhile
    s.now[0].inside += 1
    s.attempts[row].depth_seen = s.now[0].inside
    put(s, row, TAIL)
    work(s)


def _knock(s: Sim, row: int) -> None:
    """The gateway decides."""
    a, now = s.attempts[row], s.now[0]
    p, r = s.params[now.turned], s.requests[a.request]
    if p.client_rate > 0:
        bucket, wait_s = take_token(RateLimit(s.full_at_s[r.client]), now.t, p.client_rate, p.client_burst)
        s.full_at_s[r.client] = bucket.full_at_s
        if wait_s > 0:
            _refuse(s, row, THROTTLED, 429, wait_s)
            return
    limit = limit_in_force(s)
    a.limit = int(limit) if limit < INF else NONE
    if r.keyed == 1 and r.job != NONE:
        _join(s, row)
        return
    a.depth_seen = now.inside
    if p.admit == CUSTOM_ADMIT and not ask_admit(s, row, limit, per_second(s)):
        _refuse(s, row, SHED, 503, retry_after_s(s, now.inside, limit))
        return
    where = _made_place(s, row, limit)
    if where == NONE:
        _refuse(s, row, SHED, 503, retry_after_s(s, now.inside, limit))
        return
    a.outcome, a.admitted_s, a.decided_status = ADMITTED, now.t, 202
    r.job = row
    if p.admit == NAIVE:
        a.before = PUSHING
        plan(s, now.t + p.naive_gap_s, PUSH, row)
        return
    now.inside += 1
    a.depth_seen = now.inside
    put(s, row, where)
    work(s)


def _refuse(s: Sim, row: int, outcome: int, status: int, told_s: float) -> None:
    a = s.attempts[row]
    a.outcome, a.decided_status = outcome, status
    close(s, row, REFUSED, status, told_s)


def _join(s: Sim, row: int) -> None:
    """The key is known: no second job, and the first one's end at once if it has come already."""
    a = s.attempts[row]
    job = s.attempts[s.requests[a.request].job]
    a.outcome, a.decided_status, a.depth_seen = DUPLICATE, 202, s.now[0].inside
    if job.result == OK:
        close(s, row, SUCCEEDED, 200, -1.0)
    elif job.result == LOST or job.result == FAILED:
        close(s, row, ERRORED, 200, -1.0)


def _made_place(s: Sim, row: int, limit: float) -> int:
    """Where in the line the job goes, once those have left who must leave for it; NONE when it does not come in."""
    now = s.now[0]
    place, urgent = s.params[now.turned].place, s.requests[s.attempts[row].request].urgent == 1
    surplus = int(now.inside + 1 - limit) if limit < INF else 0
    found = _place(place, Queue(now.waiting, now.urgent), urgent, surplus)
    if found.at < 0:
        return NONE
    for _ in range(found.from_head):
        _displace(s, now.head)
    for _ in range(found.from_tail):
        _displace(s, now.tail)
    if place == PRIORITY and urgent:
        return URGENT
    return HEAD if found.at == 0 else TAIL


def _place(place: int, queue: Queue, urgent: bool, surplus: int) -> Place:
    if place == LIFO:
        return place_lifo(queue, urgent, surplus)
    if place == DROP_OLDEST:
        return place_drop_oldest(queue, urgent, surplus)
    if place == PRIORITY:
        return place_priority(queue, urgent, surplus)
    return place_fifo(queue, urgent, surplus)


def _displace(s: Sim, row: int) -> None:
    leave(s, row)
    ended(s, row, DROPPED)
    displaced(s, row)


def _guard(s: Sim, request: int, tries: int) -> int:
    """Which guard keeps an attempt from leaving, NONE for none.

    Throttle first, breaker last: what the breaker lets through must go, since it may be the probe.
    """
    now = s.now[0]
    p = s.params[now.turned]
    if p.throttle_k > 0:
        throttle = Throttle(now.throttle_requests, now.throttle_accepts, now.throttle_at_s)
        u = uniform(s.seed, COIN, request, tries)
        throttle, allowed = throttle_allows(throttle, now.t, u, p.throttle_k, p.throttle_window_s)
        now.throttle_requests, now.throttle_accepts, now.throttle_at_s = throttle
        if not allowed:
            return THROTTLE
    if p.breaker_failures > 0:
        breaker = Breaker(now.breaker_position, now.breaker_failures, now.breaker_since_s)
        breaker, allowed = breaker_allows(breaker, now.t, p.breaker_open_s)
        now.breaker_position, now.breaker_failures, now.breaker_since_s = breaker
        if not allowed:
            return BREAKER
    return NONE
