"""The spread of each wait is that of the policy itself."""

from __future__ import annotations

import math
import random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.scenario import BackoffPolicy, Retry
from lessons.theory.backoff import waits

names = st.sampled_from(get_args(BackoffPolicy))
BASE_S, CAP_S = 0.1, 2.0


def chains(policy: BackoffPolicy, retries: int, count: int, seed: int) -> np.ndarray:
    """Waits of so many clients, one row each, as the policy gives them."""
    dice, found = random.Random(seed), np.empty((count, retries))
    for client in range(count):
        state = BackoffState()
        for n in range(retries):
            state, found[client, n] = POLICIES[policy](state, 0.0, dice.random(), BASE_S, CAP_S)
    return found


@settings(deadline=None, max_examples=40)
@given(names, st.floats(1e-3, 600), st.floats(1e-3, 3600), st.integers(1, 12))
def test_there_is_one_spread_per_retry(policy: BackoffPolicy, base_s: float, cap_s: float, attempts: int) -> None:
    """The first attempt waits for nothing; min ≤ mean ≤ max ≤ cap, and the variance fits between them."""
    found = waits(Retry(policy=policy, base_s=base_s, cap_s=cap_s, attempts=attempts))
    assert len(found) == (0 if policy in ("none", "custom") else attempts - 1)
    for least, most, mean, variance in found:
        assert 0 <= least <= mean * (1 + 1e-9)
        assert mean <= most * (1 + 1e-9)
        assert most <= cap_s
        assert -1e-12 <= variance <= (most - least) ** 2 / 4 + 1e-12


def test_the_closed_forms() -> None:
    """Ceilings 0.1, 0.2, 0.4 and so on up to the cap; full over all of it, equal over its upper half."""
    ceilings = [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]

    def flat(policy: BackoffPolicy) -> list[float]:
        retry = Retry(policy=policy, base_s=BASE_S, cap_s=CAP_S, attempts=8)
        return [number for spread in waits(retry) for number in spread]

    assert flat("full") == pytest.approx([x for c in ceilings for x in (0, c, c / 2, c**2 / 12)])
    assert flat("equal") == pytest.approx([x for c in ceilings for x in (c / 2, c, 3 * c / 4, c**2 / 48)])
    assert flat("exponential") == pytest.approx([x for c in ceilings for x in (c, c, c, 0)])
    assert flat("fixed") == pytest.approx([0.1, 0.1, 0.1, 0.0] * 7)
    assert flat("immediate") == [0.0] * 28


def test_decorrelated_jitter_before_the_cap_has_a_recursion() -> None:
    """E[next] = (base + 3 E[last]) / 2, and E[next²] = (base² + 3 base E[last] + 9 E[last²]) / 3."""
    mean, square = BASE_S, BASE_S**2
    for n, spread in enumerate(
        waits(Retry(policy="decorrelated", base_s=BASE_S, cap_s=BASE_S * 3.0**6, attempts=7)), 1
    ):
        mean, square = (BASE_S + 3 * mean) / 2, (BASE_S**2 + 3 * BASE_S * mean + 9 * square) / 3
        assert spread.mean == pytest.approx(mean, rel=1e-6)
        assert spread.variance == pytest.approx(square - mean**2, rel=2e-6)
        assert (spread.min, spread.max) == pytest.approx((BASE_S, BASE_S * 3.0**n))


def test_decorrelated_jitter_at_the_cap_is_what_integration_says() -> None:
    """The second retry, whose wait is capped often: the mean over all first waits, by an independent integrator."""
    cap_s = 0.4

    def capped(power: int, last_s: float) -> float:
        top_s = 3 * last_s
        whole = (min(top_s, cap_s) ** (power + 1) - BASE_S ** (power + 1)) / (power + 1)
        return (whole + cap_s**power * max(0.0, top_s - cap_s)) / (top_s - BASE_S)

    mean, square = (
        quad(lambda last_s, power=power: capped(power, last_s), BASE_S, 3 * BASE_S, points=[cap_s / 3])[0]
        / (2 * BASE_S)
        for power in (1, 2)
    )
    second = waits(Retry(policy="decorrelated", base_s=BASE_S, cap_s=cap_s, attempts=3))[1]
    assert second.mean == pytest.approx(mean, rel=1e-6)
    assert second.variance == pytest.approx(square - mean**2, rel=2e-6)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_clients_wait_as_the_spread_says(policy: BackoffPolicy) -> None:
    """Mean within 4.5 standard errors, variance within 10 %, and no wait out of bounds: in every retry."""
    count, retries = 8000, 7
    found = chains(policy, retries, count, seed=len(policy))
    for n, (least, most, mean, variance) in enumerate(
        waits(Retry(policy=policy, base_s=BASE_S, cap_s=CAP_S, attempts=retries + 1))
    ):
        seen = found[:, n]
        assert least <= seen.min()
        assert seen.max() <= most
        assert abs(seen.mean() - mean) <= 4.5 * math.sqrt(variance / count) + 1e-12
        assert seen.var() == pytest.approx(variance, rel=0.1, abs=1e-12)


def test_a_cap_at_or_below_the_base_leaves_only_the_cap() -> None:
    """As the policy does."""
    for cap_s in (0.05, 0.1):
        assert (
            waits(Retry(policy="decorrelated", base_s=0.1, cap_s=cap_s, attempts=3)) == [(cap_s, cap_s, cap_s, 0)] * 2
        )
