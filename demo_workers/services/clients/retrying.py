"""Whether and when a client tries again: a pure function of the scenario, the failure and the tape."""

from __future__ import annotations

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.records.events import ClientOutcome
from demo_workers.scenario import Scenario
from demo_workers.variates import Stream, variate

RETRIED = frozenset((ClientOutcome.REFUSED, ClientOutcome.TIMED_OUT, ClientOutcome.ERRORED))


def backoff(
    scenario: Scenario,
    request: int,
    attempt: int,
    outcome: ClientOutcome,
    state: BackoffState,
    now: float,
    retry_after_s: float | None = None,
) -> tuple[BackoffState, float | None]:
    """The wait (seconds) between the end of a failed attempt and the next one; None: there is no next one.

    The jitter is keyed by the attempt that failed, counted from 1. A wait that the server asked for is never cut
    short: the policy's own wait comes on top, as jitter. The request's deadline is the caller's business.

    Args:
        scenario: what is in force now.
        request: number of the request.
        attempt: number of the attempt that just ended.
        outcome: how it ended.
        state: what the policy remembers of this request.
        now: seconds since the run's origin.
        retry_after_s: what a refusal asked for, if anything.
    """
    retry = scenario.retry
    if outcome not in RETRIED or attempt >= retry.attempts or retry.policy == "none":
        return state, None
    if outcome is ClientOutcome.TIMED_OUT and retry.after_timeout == "at_once":
        return BackoffState(state.retry + 1, 0.0), 0.0
    u = variate(scenario.seed, Stream.JITTER, request, attempt)
    state, wait_s = POLICIES[retry.policy](state, now, u, retry.base_s, retry.cap_s)
    if outcome is ClientOutcome.REFUSED and retry.honour_retry_after and retry_after_s is not None:
        wait_s += retry_after_s
    return state, wait_s
