"""The clients' side of an attempt's end: what it means, whether there is a next one, and when."""

from __future__ import annotations

from demo_workers.closed_tape import LEAST_CYCLE_S
from demo_workers.policies.adaptive_throttling import Throttle
from demo_workers.policies.adaptive_throttling import record as tell_throttle
from demo_workers.policies.backoff import BackoffState, decorrelated, equal, exponential, fixed, full, immediate
from demo_workers.policies.circuit_breaker import Breaker
from demo_workers.policies.circuit_breaker import record as tell_breaker
from demo_workers.policies.retry_budget import RetryBudget, spend
from demo_workers.policies.token_bucket import TokenBucket
from demo_workers.policies.token_bucket import allow as bucket_allows
from demo_workers.policies.token_bucket import record as tell_bucket
from demo_workers.records.events import ClientOutcome, NoRetry, Outcome
from demo_workers.variates import Stream
from lessons.twin.calendar import RETRY, THINK, plan
from lessons.twin.drain_rate import retry_after_s
from lessons.twin.hooks import ask_next_try
from lessons.twin.parameters import CUSTOM_RETRY, DECORRELATED, EQUAL, EXPONENTIAL, FIXED, FULL, NO_RETRY
from lessons.twin.state import NAN, NONE, Sim
from lessons.twin.uniform import uniform

SUCCEEDED, TIMED_OUT, REFUSED = int(ClientOutcome.SUCCEEDED), int(ClientOutcome.TIMED_OUT), int(ClientOutcome.REFUSED)
GAVE_UP, ERRORED = int(ClientOutcome.GAVE_UP), int(ClientOutcome.ERRORED)
DUPLICATE = int(Outcome.DUPLICATE)
DONE, ATTEMPTS, DEADLINE = int(NoRetry.DONE), int(NoRetry.ATTEMPTS), int(NoRetry.DEADLINE)
BUDGET, BUCKET, CUSTOM = int(NoRetry.BUDGET), int(NoRetry.BUCKET), int(NoRetry.CUSTOM)
JITTER = int(Stream.JITTER)


def completed(s: Sim, row: int) -> None:
    """The job of an attempt is done: whoever of its request still waits for that job hears of it."""
    waiting = _waiting_for(s, row)
    if waiting != NONE:
        close(s, waiting, SUCCEEDED, 200, -1.0)


def failed(s: Sim, row: int) -> None:
    """The job was lost with its worker: an answer like any other, and no success."""
    waiting = _waiting_for(s, row)
    if waiting != NONE:
        close(s, waiting, ERRORED, 200, -1.0)


def displaced(s: Sim, row: int) -> None:
    """The job was taken out of the queue unexecuted: come back later. Its key is free again."""
    waiting = _waiting_for(s, row)
    s.requests[s.attempts[row].request].job = NONE
    if waiting != NONE:
        close(s, waiting, REFUSED, 503, retry_after_s(s, s.now[0].inside, s.params[s.now[0].turned].limit))


def close(s: Sim, row: int, outcome: int, status: int, told_s: float) -> None:
    """An attempt is over for its client: write it down and plan the next one, if there is one.

    Args:
        s: the twin.
        row: the attempt.
        outcome: a ``ClientOutcome``.
        status: HTTP status, 0 where none was heard.
        told_s: the wait that a refusal asked for (seconds), −1 where none did.
    """
    a, now = s.attempts[row], s.now[0]
    r, p = s.requests[a.request], s.params[now.turned]
    a.out, a.client_outcome, a.status, a.ended_s = 0, outcome, status, now.t
    a.answered_s = now.t if status > 0 else NAN
    a.seen_s = now.t if outcome == SUCCEEDED else NAN
    if a.sent_s == a.sent_s:
        _tell_guards(s, outcome, a.sent_s)
    why, backoff_s = _next(s, row, outcome, told_s)
    if why == DONE and outcome != SUCCEEDED and now.t + backoff_s >= r.due_s + p.deadline_s:
        why = DEADLINE
    if why == DONE and outcome != SUCCEEDED:
        why = _unpaid(s)
    a.no_retry = why
    if outcome == SUCCEEDED or why != DONE:
        _end_request(s, a.request)
    else:
        a.backoff_s = backoff_s
        plan(s, now.t + backoff_s, RETRY, a.request)


def _waiting_for(s: Sim, row: int) -> int:
    """The attempt that waits for the job of ``row``: itself, or a later one with the same key; NONE for none."""
    request = s.attempts[row].request
    r = s.requests[request]
    latest = r.current
    a = s.attempts[latest]
    mine = latest == row or (a.outcome == DUPLICATE and r.job == row)
    return int(latest) if a.out == 1 and mine else NONE


def _end_request(s: Sim, request: int) -> None:
    now = s.now[0]
    now.going -= 1
    clients = s.params[now.turned].clients
    if clients > 0 and now.stopped == 0:
        following = request + clients
        if following >= len(s.thinks):
            now.overflow = 1
        else:
            due_s = max(
                now.t + s.thinks[following] * s.params[now.turned].think_time_s,
                s.requests[request].due_s + LEAST_CYCLE_S,
            )
            plan(s, due_s, THINK, following)


def _tell_guards(s: Sim, outcome: int, sent_s: float) -> None:
    now = s.now[0]
    p, failure = s.params[now.turned], outcome != SUCCEEDED
    if p.throttle_k > 0:
        throttle = Throttle(now.throttle_requests, now.throttle_accepts, now.throttle_at_s)
        throttle = tell_throttle(throttle, now.t, not failure, p.throttle_window_s)
        now.throttle_requests, now.throttle_accepts, now.throttle_at_s = throttle
    if p.breaker_failures > 0:
        breaker = Breaker(now.breaker_position, now.breaker_failures, now.breaker_since_s)
        breaker = tell_breaker(breaker, now.t, sent_s, failure, p.breaker_failures)
        now.breaker_position, now.breaker_failures, now.breaker_since_s = breaker
    if p.bucket_tokens > 0:
        bucket = tell_bucket(TokenBucket(now.bucket_missing), now.t, failure, p.bucket_tokens, p.bucket_ratio)
        now.bucket_missing = bucket.missing


def _next(s: Sim, row: int, outcome: int, told_s: float) -> tuple[int, float]:
    """Why there is no next attempt (DONE: there may be one), and the wait before it (seconds)."""
    a, now = s.attempts[row], s.now[0]
    p = s.params[now.turned]
    if outcome == SUCCEEDED:
        return DONE, 0.0
    if outcome == GAVE_UP or now.closing == 1:
        return DEADLINE, 0.0
    if a.attempt >= p.attempts or p.backoff == NO_RETRY:
        return ATTEMPTS, 0.0
    r = s.requests[a.request]
    if p.backoff == CUSTOM_RETRY:
        wait_s = ask_next_try(s, row, outcome, told_s)
        if wait_s < 0:
            return CUSTOM, 0.0
        r.retry, r.previous_s = r.retry + 1, wait_s
        return DONE, wait_s
    if outcome == TIMED_OUT and p.at_once == 1:
        r.retry, r.previous_s = r.retry + 1, 0.0
        return DONE, 0.0
    state = BackoffState(r.retry, r.previous_s)
    state, wait_s = _backoff(p.backoff, state, now.t, uniform(s.seed, JITTER, a.request, a.attempt), p.base_s, p.cap_s)
    r.retry, r.previous_s = state
    if outcome == REFUSED and p.honour == 1 and told_s >= 0:
        wait_s += told_s
    return DONE, wait_s


def _backoff(
    policy: int, state: BackoffState, now: float, u: float, base_s: float, cap_s: float
) -> tuple[BackoffState, float]:
    if policy == FULL:
        return full(state, now, u, base_s, cap_s)
    if policy == EQUAL:
        return equal(state, now, u, base_s, cap_s)
    if policy == DECORRELATED:
        return decorrelated(state, now, u, base_s, cap_s)
    if policy == EXPONENTIAL:
        return exponential(state, now, u, base_s, cap_s)
    if policy == FIXED:
        return fixed(state, now, u, base_s, cap_s)
    return immediate(state, now, u, base_s, cap_s)


def _unpaid(s: Sim) -> int:
    """Which guard does not let a retry go; DONE for none."""
    now = s.now[0]
    p = s.params[now.turned]
    if p.bucket_tokens > 0:
        _, allowed = bucket_allows(TokenBucket(now.bucket_missing), now.t, p.bucket_tokens)
        if not allowed:
            return BUCKET
    if p.budget_ratio >= 0:
        budget = RetryBudget(now.budget_tokens, now.budget_requests, now.budget_at_s)
        budget, allowed = spend(budget, now.t, p.budget_ratio, p.budget_floor_per_s)
        now.budget_tokens, now.budget_requests, now.budget_at_s = budget
        if not allowed:
            return BUDGET
    return DONE
