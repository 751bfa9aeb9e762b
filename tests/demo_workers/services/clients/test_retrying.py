from __future__ import annotations

from typing import Any

import pytest

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.policies.custom import Failure
from demo_workers.records.events import ClientOutcome, NoRetry
from demo_workers.scenario import Retry, Scenario
from demo_workers.services.clients.guards import Guards
from demo_workers.services.clients.retrying import Ended, NextTry, next_attempt
from demo_workers.variates import Stream, variate

START = BackoffState()


def after(
    attempt: int,
    outcome: ClientOutcome = ClientOutcome.REFUSED,
    state: BackoffState = START,
    *,
    guards: Guards | None = None,
    next_try: NextTry | None = None,
    ended: Any = (),
    **retry: Any,
) -> tuple[BackoffState, float | NoRetry]:
    """What follows an attempt of request 9 that ended at second 5; ``ended`` has more fields of its end."""
    scenario = Scenario(retry=Retry(**{"policy": "full", "attempts": 5, **retry}))
    end = Ended(9, attempt, outcome, 5.0, **dict(ended))
    return next_attempt(scenario, end, state, guards or Guards(scenario.seed, scenario.retry), next_try)


def waits(outcome: ClientOutcome, told_s: float | None = None, **retry: Any) -> list[float]:
    """All waits of request 9, whose every attempt ends with ``outcome``."""
    state, found = START, list[float]()
    for attempt in range(1, 10):
        state, wait_s = after(attempt, outcome, state, ended={"retry_after_s": told_s}, **retry)
        if isinstance(wait_s, NoRetry):
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
        retry = {"policy": "exponential", "after_timeout": "at_once"}
        state, _ = after(1, ClientOutcome.TIMED_OUT, **retry)
        assert after(2, ClientOutcome.ERRORED, state, **retry)[1] == 0.2


class TestWhyNot:
    @pytest.mark.parametrize("outcome", [ClientOutcome.SUCCEEDED, ClientOutcome.GAVE_UP])
    def test_nothing_to_try_again(self, outcome: ClientOutcome) -> None:
        """A success, or an attempt cut by the end of the run, needs no reason."""
        assert after(1, outcome)[1] is NoRetry.DONE

    def test_attempts(self) -> None:
        """The last attempt is the last, and a client without a policy has but one."""
        assert after(5)[1] is NoRetry.ATTEMPTS
        assert after(1, policy="none")[1] is NoRetry.ATTEMPTS

    def test_deadline(self) -> None:
        """A retry that would come at or after the deadline is not made; one just before it is."""
        for deadline_s, why in ((5.1, NoRetry.DEADLINE), (5.2, None)):
            _, decided = after(1, policy="fixed", base_s=0.1, ended={"deadline_s": deadline_s})
            assert (decided if isinstance(decided, NoRetry) else None) is why
        assert after(1, ClientOutcome.GAVE_UP, ended={"deadline_s": 5.0})[1] is NoRetry.DEADLINE

    def test_guards_come_last(self) -> None:
        """A retry that would not go for another reason is not paid for by the budget."""
        retry: dict[str, Any] = {"policy": "fixed", "base_s": 0.1, "budget_ratio": 0.0, "budget_floor_per_s": 0.1}
        guards = Guards(7, Retry(**retry))
        assert after(1, guards=guards, ended={"deadline_s": 5.1}, **retry)[1] is NoRetry.DEADLINE
        assert after(5, guards=guards, **retry)[1] is NoRetry.ATTEMPTS
        assert after(1, guards=guards, **retry)[1] == 0.1
        assert after(1, guards=guards, **retry)[1] is NoRetry.BUDGET


class TestCustom:
    def test_is_told_and_obeyed(self) -> None:
        """The reader's function is told of the failure; its answer is the whole wait, or the end."""
        told: list[Failure] = []

        def next_try(failure: Failure) -> float | None:
            told.append(failure)
            return 0.3 if failure.attempt == 1 else None

        retry: dict[str, Any] = {"policy": "custom", "next_try": next_try, "budget_ratio": 0.0}
        state, wait_s = after(1, ended={"retry_after_s": 2.0, "deadline_s": 8.0}, **retry)
        assert wait_s == 0.3
        assert after(2, ClientOutcome.TIMED_OUT, state, **retry)[1] is NoRetry.CUSTOM
        assert [failure[:-1] for failure in told] == [
            (1, 0.0, 2.0, 3.0, 10.0, "refused"),
            (2, 0.3, None, None, 10.0, "timed_out"),
        ]

    def test_same_dice(self) -> None:
        """The dice are keyed by request and attempt: asked again, they fall the same."""
        fell = [after(a, policy="custom", next_try=lambda f: f.rng.random())[1] for a in (1, 1, 2)]
        assert fell[0] == fell[1] != fell[2]

    def test_held_back(self) -> None:
        """The function can tell an attempt that never left from one that was refused."""
        reasons: list[str] = []
        after(1, policy="custom", next_try=lambda f: reasons.append(f.reason), ended={"held_back": True})
        assert reasons == ["held_back"]

    def test_nobody_there(self) -> None:
        """Without a function the custom policy gives up."""
        assert after(1, policy="custom")[1] is NoRetry.CUSTOM
