from __future__ import annotations

from typing import Any

import pytest

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.records.events import ClientOutcome
from demo_workers.scenario import Retry, Scenario
from demo_workers.services.clients.retrying import backoff
from demo_workers.variates import Stream, variate


def waits(outcome: ClientOutcome, told_s: float | None = None, **retry: Any) -> list[float]:
    """All waits of request 9, whose every attempt ends with ``outcome``."""
    scenario = Scenario(retry=Retry(**{"policy": "full", "attempts": 5, **retry}))
    state, found = BackoffState(), list[float]()
    for attempt in range(1, 10):
        state, wait_s = backoff(scenario, 9, attempt, outcome, state, 0.0, told_s)
        if wait_s is None:
            break
        found.append(wait_s)
    return found


def drawn(policy: Any = "full") -> list[float]:
    """The policy's own waits after attempts 1 to 4 of request 9."""
    state, found = BackoffState(), list[float]()
    for attempt in range(1, 5):
        state, wait_s = POLICIES[policy](state, 0.0, variate(7, Stream.JITTER, 9, attempt), 0.1, 10.0)
        found.append(wait_s)
    return found


class TestBackoff:
    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize("outcome", [ClientOutcome.REFUSED, ClientOutcome.TIMED_OUT, ClientOutcome.ERRORED])
    def test_is_the_policy(self, policy: str, outcome: ClientOutcome) -> None:
        """Every failure waits as the policy says, one time fewer than there are attempts."""
        assert waits(outcome, policy=policy) == drawn(policy)

    @pytest.mark.parametrize("outcome", [ClientOutcome.SUCCEEDED, ClientOutcome.GAVE_UP])
    def test_no_retry(self, outcome: ClientOutcome) -> None:
        """Who succeeded or gave up does not try again."""
        assert waits(outcome) == []

    def test_retry_after_is_never_cut_short(self) -> None:
        """The policy's wait comes on top of what the server asked for."""
        assert waits(ClientOutcome.REFUSED, 2.0) == [2.0 + wait_s for wait_s in drawn()]

    def test_retry_after_ignored(self) -> None:
        """A client that does not honour Retry-After waits as its policy says."""
        assert waits(ClientOutcome.REFUSED, 2.0, honour_retry_after=False) == drawn()

    def test_at_once_after_a_timeout(self) -> None:
        """The impatient client tries again at once after a time-out, but only then."""
        assert waits(ClientOutcome.TIMED_OUT, after_timeout="at_once") == [0.0] * 4
        assert waits(ClientOutcome.REFUSED, after_timeout="at_once") == drawn()

    def test_at_once_still_counts(self) -> None:
        """A retry made at once doubles the ceiling of the next wait like any other."""
        scenario = Scenario(retry=Retry(policy="exponential", attempts=5, after_timeout="at_once"))
        state, _ = backoff(scenario, 9, 1, ClientOutcome.TIMED_OUT, BackoffState(), 0.0)
        _, wait_s = backoff(scenario, 9, 2, ClientOutcome.ERRORED, state, 0.0)
        assert wait_s == 0.2
