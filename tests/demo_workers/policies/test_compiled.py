"""Every policy compiles as it stands and then decides the same: the twin plays the live system's policies."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import pytest

from demo_workers.policies import adaptive_throttling, circuit_breaker, rate_limit, retry_budget, token_bucket
from demo_workers.policies.admission import ADMIT, PLACE, TAKE, Adaptive, Queue, Taker, adaptive
from demo_workers.policies.backoff import POLICIES, BackoffState
from lessons.twin.compiling import compiled

STEPS = 400
Policy = Callable[..., Any]


class Case(NamedTuple):
    """Functions that act on one state, and how to throw their parameters (after state and now)."""

    start: Any
    functions: dict[Policy, Callable[[random.Random, float], tuple[Any, ...]]]


def coin(dice: random.Random) -> bool:
    """True as often as not."""
    return dice.random() < 0.5


CASES = {
    **{
        name: Case(BackoffState(), {function: lambda dice, now: (dice.random(), 0.1, 10.0)})
        for name, function in POLICIES.items()
    },
    "retry_budget": Case(
        retry_budget.RetryBudget(),
        {function: lambda dice, now: (0.2, 1.0) for function in (retry_budget.earn, retry_budget.spend)},
    ),
    "circuit_breaker": Case(
        circuit_breaker.Breaker(),
        {
            circuit_breaker.allow: lambda dice, now: (2.0,),
            circuit_breaker.record: lambda dice, now: (now - dice.random(), coin(dice), 3),
        },
    ),
    "adaptive_throttling": Case(
        adaptive_throttling.Throttle(),
        {
            adaptive_throttling.allow: lambda dice, now: (dice.random(), 2.0, 10.0),
            adaptive_throttling.record: lambda dice, now: (coin(dice), 10.0),
        },
    ),
    "token_bucket": Case(
        token_bucket.TokenBucket(),
        {
            token_bucket.allow: lambda dice, now: (10.0,),
            token_bucket.record: lambda dice, now: (coin(dice), 10.0, 0.1),
        },
    ),
    "rate_limit": Case(rate_limit.RateLimit(), {rate_limit.take: lambda dice, now: (1.0, 5.0)}),
    "adaptive": Case(
        Adaptive(), {adaptive.observe: lambda dice, now: (dice.expovariate(5 + now % 20), dice.randrange(40), 2.0)}
    ),
    **{
        name: Case(Taker(), {take: lambda dice, now: (dice.random(), now + dice.random() - 0.5, 0.02, 0.5)})
        for name, take in TAKE.items()
    },
}


def played(case: Case, seed: int, translate: Callable[[Policy], Policy]) -> list[Any]:
    """What comes back, step by step."""
    dice, state, now = random.Random(seed), case.start, 0.0
    functions = {translate(function): throw for function, throw in case.functions.items()}
    found = []
    for _ in range(STEPS):
        now += dice.expovariate(2.0)
        function = dice.choice(list(functions))
        answer = function(state, now, *functions[function](dice, now))
        found.append(answer)
        state = answer if hasattr(answer, "_fields") else answer[0]
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_compiled_policy_decides_the_same(name: str) -> None:
    """Same states and same decisions, to the last bit, over random sequences."""
    for seed in range(5):
        interpreted = played(CASES[name], seed, lambda function: function)
        assert played(CASES[name], seed, compiled) == interpreted
        assert len(set(map(repr, interpreted))) > 1 or name == "all"


@pytest.mark.parametrize("name", PLACE)
def test_a_compiled_place_is_the_same(name: str) -> None:
    """For every small queue, every newcomer, with room and without."""
    for waiting, urgent_waiting, urgent, surplus in product(range(4), range(4), (False, True), range(-1, 3)):
        queue = Queue(waiting, min(waiting, urgent_waiting))
        assert compiled(PLACE[name])(queue, urgent, surplus) == PLACE[name](queue, urgent, surplus)


def test_a_compiled_limit_is_the_same() -> None:
    """Of the policies at the door."""
    for limit in ADMIT.values():
        assert compiled(limit)(Adaptive(limit=7.5)) == limit(Adaptive(limit=7.5))
