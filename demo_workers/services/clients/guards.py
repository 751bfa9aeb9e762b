"""The guards that stand before attempts and retries, and the order in which they are asked.

* Before every attempt, the first one too: adaptive throttling, then the circuit breaker. The breaker comes last because
  what it lets through must go: it may be the probe.
* Before a retry, when an attempt has failed: the token bucket, then the retry budget. The budget comes last because it
  is spent: nothing is paid for a retry that would not go.

All clients of a run share one set of guards, as the users of one calling service do. What never left is no answer: only
the ends of attempts that went tell the guards how the server is.
"""

from __future__ import annotations

from demo_workers.policies import adaptive_throttling, circuit_breaker, retry_budget, token_bucket
from demo_workers.policies.adaptive_throttling import Throttle
from demo_workers.policies.circuit_breaker import Breaker
from demo_workers.policies.retry_budget import RetryBudget
from demo_workers.policies.token_bucket import TokenBucket
from demo_workers.records.events import Guard, NoRetry
from demo_workers.scenario import Retry
from demo_workers.variates import Stream, variate


class Guards:
    """The states of all guards; a guard that the scenario leaves out is never asked.

    A guard keeps what it knows when its numbers are changed, and forgets it when it is left out.

    Args:
        seed: the scenario's, for the coin of adaptive throttling.
        retry: the numbers in force.
    """

    def __init__(self, seed: int, retry: Retry) -> None:
        self._seed, self._retry = seed, retry
        self._throttle, self._breaker = Throttle(), Breaker()
        self._bucket, self._budget = TokenBucket(), RetryBudget()

    def steer(self, retry: Retry) -> None:
        """Use other numbers from now on."""
        self._retry = retry
        if retry.throttle_k is None:
            self._throttle = Throttle()
        if retry.breaker_failures is None:
            self._breaker = Breaker()
        if retry.bucket_tokens is None:
            self._bucket = TokenBucket()
        if retry.budget_ratio is None:
            self._budget = RetryBudget()

    def request_begins(self, now: float) -> None:
        """A request comes, which earns its share of a retry, whatever becomes of its first attempt."""
        if (ratio := self._retry.budget_ratio) is not None:
            self._budget = retry_budget.earn(self._budget, now, ratio, self._retry.budget_floor_per_s)

    def hold_back(self, now: float, request: int, attempt: int) -> Guard | None:
        """The guard that keeps an attempt from leaving; None lets it go, and then ``attempt_ended`` must follow."""
        retry = self._retry
        if retry.throttle_k is not None:
            coin = variate(self._seed, Stream.GUARD, request, attempt)
            self._throttle, allowed = adaptive_throttling.allow(
                self._throttle, now, coin, retry.throttle_k, retry.throttle_window_s
            )
            if not allowed:
                return Guard.THROTTLE
        if retry.breaker_failures is not None:
            self._breaker, allowed = circuit_breaker.allow(self._breaker, now, retry.breaker_open_s)
            if not allowed:
                return Guard.BREAKER
        return None

    def attempt_ended(self, now: float, sent_s: float, *, failed: bool) -> None:
        """An attempt that had left at ``sent_s`` has succeeded, or failed in whichever way."""
        retry = self._retry
        if retry.throttle_k is not None:
            self._throttle = adaptive_throttling.record(self._throttle, now, not failed, retry.throttle_window_s)
        if retry.breaker_failures is not None:
            self._breaker = circuit_breaker.record(self._breaker, now, sent_s, failed, retry.breaker_failures)
        if retry.bucket_tokens is not None:
            self._bucket = token_bucket.record(self._bucket, now, failed, retry.bucket_tokens, retry.bucket_ratio)

    def deny_retry(self, now: float) -> NoRetry | None:
        """The guard that forbids a retry, as the record names it; None lets it be planned, and it is paid for."""
        retry = self._retry
        if retry.bucket_tokens is not None:
            self._bucket, allowed = token_bucket.allow(self._bucket, now, retry.bucket_tokens)
            if not allowed:
                return NoRetry.BUCKET
        if retry.budget_ratio is not None:
            ratio, floor = retry.budget_ratio, retry.budget_floor_per_s
            self._budget, allowed = retry_budget.spend(self._budget, now, ratio, floor)
            if not allowed:
                return NoRetry.BUDGET
        return None

    def budget_left(self, now: float) -> float | None:
        """How many retries the budget would still pay for; None without a budget."""
        if (ratio := self._retry.budget_ratio) is None:
            return None
        return retry_budget.left(self._budget, now, ratio, self._retry.budget_floor_per_s)
