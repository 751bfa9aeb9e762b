"""Whether and when a client tries again: a function of the scenario, the failure, the tape and the guards."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.policies.custom import Failure, dice
from demo_workers.records.events import ClientOutcome, NoRetry
from demo_workers.scenario import Scenario
from demo_workers.services.clients.guards import Guards
from demo_workers.variates import Stream, variate

RETRIED = frozenset((ClientOutcome.REFUSED, ClientOutcome.TIMED_OUT, ClientOutcome.ERRORED))

NextTry = Callable[[Failure], float | None]


class Ended(NamedTuple):
    """An attempt that is over.

    Attributes:
        request, attempt: which one; attempts count from 1.
        outcome: how it ended.
        t: when (seconds since the run's origin).
        deadline_s: when its request is given up, on the same clock.
        retry_after_s: what a refusal asked for, if anything.
        held_back: whether a guard kept it from leaving; then the outcome is REFUSED.
    """

    request: int
    attempt: int
    outcome: ClientOutcome
    t: float
    deadline_s: float = math.inf
    retry_after_s: float | None = None
    held_back: bool = False


def next_attempt(
    scenario: Scenario, ended: Ended, state: BackoffState, guards: Guards, next_try: NextTry | None = None
) -> tuple[BackoffState, float | NoRetry]:
    """The wait (seconds) before the next attempt, or why there is none.

    Asked in this order: is there one left, what does the policy say, does it come before the deadline, do the guards
    allow it. ``next_try`` is the policy ``custom``; without it that policy gives up.
    """
    if ended.outcome not in RETRIED:
        late = ended.outcome is ClientOutcome.GAVE_UP and ended.t >= ended.deadline_s
        return state, NoRetry.DEADLINE if late else NoRetry.DONE
    if ended.attempt >= scenario.retry.attempts or scenario.retry.policy == "none":
        return state, NoRetry.ATTEMPTS
    wait_s: float | None
    if scenario.retry.policy == "custom":
        wait_s = next_try(_failure(scenario, ended, state, guards)) if next_try is not None else None
        if wait_s is None:
            return state, NoRetry.CUSTOM
        state = BackoffState(state.retry + 1, wait_s)
    else:
        state, wait_s = backoff(scenario, ended, state)
    if ended.t + wait_s >= ended.deadline_s:
        return state, NoRetry.DEADLINE
    denied = guards.deny_retry(ended.t)
    return state, wait_s if denied is None else denied


def backoff(scenario: Scenario, ended: Ended, state: BackoffState) -> tuple[BackoffState, float]:
    """The wait (seconds) of the scenario's policy after a failure.

    The jitter is keyed by the attempt that failed. A wait that the server asked for is never cut short: the policy's
    own wait comes on top, as jitter.
    """
    retry = scenario.retry
    if ended.outcome is ClientOutcome.TIMED_OUT and retry.after_timeout == "at_once":
        return BackoffState(state.retry + 1, 0.0), 0.0
    u = variate(scenario.seed, Stream.JITTER, ended.request, ended.attempt)
    state, wait_s = POLICIES[retry.policy](state, ended.t, u, retry.base_s, retry.cap_s)
    if retry.honour_retry_after and ended.retry_after_s is not None:
        wait_s += ended.retry_after_s
    return state, wait_s


def _failure(scenario: Scenario, ended: Ended, state: BackoffState, guards: Guards) -> Failure:
    """What a policy written in a cell is told; it decides about Retry-After and time-outs itself."""
    return Failure(
        attempt=ended.attempt,
        previous_s=state.previous_s,
        retry_after_s=ended.retry_after_s,
        time_left_s=ended.deadline_s - ended.t if ended.deadline_s < math.inf else None,
        budget_left=guards.budget_left(ended.t),
        reason="held_back" if ended.held_back else ended.outcome.name.lower(),
        rng=dice(scenario.seed, ended.request, ended.attempt),
    )
