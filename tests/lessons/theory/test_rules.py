"""The rules of thumb: Little, drain, staffing, amplification, throttling, scalability, tail, patience."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from demo_workers.errors import LabError, ScenarioError, UnstableQueue
from lessons.theory import amplification, drain, erlang, little, mmck, patience, staffing, tail, throttling, usl
from tests.lessons.theory import balance

shares = st.floats(0, 1)


@given(st.floats(0, 1e4), st.floats(1e-3, 1e3))
def test_little_says_one_thing_in_three_ways(rate: float, sojourn_s: float) -> None:
    """L = λW, W = L/λ, λ = L/W."""
    inside = little.in_system(rate, sojourn_s)
    assert little.admitted_rate(inside, sojourn_s) == pytest.approx(rate)
    assert rate < 1e-9 or little.sojourn_s(inside, rate) == pytest.approx(sojourn_s)
    assert little.busy_workers(rate, 0.05) == pytest.approx(rate * 0.05)


def test_ten_minutes_of_outage_take_ninety_to_drain() -> None:
    """At ρ = 0.9; and it is the drain of the backlog that the outage left."""
    assert drain.recovery_s(600, 0.9) / 60 == pytest.approx(90)
    assert drain.drain_s(600 * 54, 54.0, 60.0) == pytest.approx(drain.recovery_s(600, 0.9))
    assert drain.recovery_s(600, 0.5) == pytest.approx(600)


def test_a_hundred_reports_at_midnight() -> None:
    """⌈100/3⌉ rounds of two seconds; none take no time."""
    assert drain.makespan_s(100, 3, 2.0) == 68
    assert drain.makespan_s(0, 3, 2.0) == 0


def test_square_root_staffing() -> None:
    """a = 100, β = 1: 110 workers, 0.223 in the limit and 0.237 exactly; the normal law is scipy's."""
    assert staffing.square_root_workers(100, 1) == 110
    assert staffing.halfin_whitt_p_wait(1) == pytest.approx(0.223, abs=5e-4)
    assert erlang.c(110, 100) == pytest.approx(0.237, abs=5e-4)
    for beta in (0.01, 0.5, 2.0, 5.0):
        assert staffing.halfin_whitt_p_wait(beta) == pytest.approx(1 / (1 + beta * norm.cdf(beta) / norm.pdf(beta)))


def test_the_limit_of_many_workers_is_where_erlang_goes() -> None:
    """With the same reserve the exact P(wait) comes nearer as systems grow."""
    apart = [
        abs(erlang.c(staffing.square_root_workers(a, 1), a) - staffing.halfin_whitt_p_wait(1)) for a in (4, 400, 40000)
    ]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 2e-3


@given(st.floats(0.1, 500), st.floats(0.01, 1))
def test_the_fewest_workers_are_enough_and_one_fewer_is_not(load: float, p_wait: float) -> None:
    """By Erlang C itself."""
    workers = staffing.workers_for(load, p_wait)
    assert erlang.c(workers, load) <= p_wait * (1 + 1e-12)
    assert workers - 1 <= load or erlang.c(workers - 1, load) > p_wait
    assert staffing.utilization(load, workers) < 1


@given(shares, st.integers(1, 50))
def test_attempts_per_request(p: float, attempts: int) -> None:
    """The geometric sum; between 1 and n; success and failure add up; a budget bounds it."""
    mean = amplification.attempts_per_request(p, attempts)
    assert mean == pytest.approx(sum(p**k for k in range(attempts)))
    assert 1 <= mean <= attempts
    assert amplification.success(p, attempts) == pytest.approx(mean * (1 - p), abs=1e-12)
    assert amplification.with_budget(p, attempts, 0.1) <= 1.1


def test_attempts_multiply_through_layers() -> None:
    """3 retries at 3 layers are 64, 3 attempts at 5 layers 243; at p = 1 all n attempts are made."""
    assert amplification.through_layers(4, 3) == 64
    assert amplification.through_layers(3, 5) == 243
    assert amplification.attempts_per_request(1.0, 4) == 4
    assert amplification.collapse_load(4) == 0.25


def test_throttling_begins_where_the_backend_refuses() -> None:
    """The book's formula: none while requests ≤ K·accepts, and with no accepts nearly all."""
    assert throttling.rejection_probability(100, 50) == 0
    assert throttling.rejection_probability(100, 25) == pytest.approx(50 / 101)
    assert throttling.rejection_probability(0, 0) == 0
    assert throttling.rejection_probability(1e6, 0) == pytest.approx(1, abs=1e-5)


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(1.01, 10))
def test_throttling_settles_where_its_own_probability_keeps_it(demand: float, most: float, k: float) -> None:
    """In the steady state the formula, with counts of a long window, gives the very share that is rejected."""
    settled = throttling.steady_state(demand, most, k)
    window = 1e7
    p = throttling.rejection_probability(demand * window, settled.accepted * window, k)
    assert p == pytest.approx(settled.rejected / demand, abs=1e-6)
    assert settled.sent + settled.rejected == pytest.approx(demand)
    assert settled.accepted + settled.refused == pytest.approx(settled.sent)
    assert settled.sent <= k * most * (1 + 1e-12)


@given(st.floats(0, 0.9), st.floats(1e-5, 0.1), st.floats(0.1, 1e4))
def test_scalability_peaks_at_the_root(alpha: float, beta: float, one: float) -> None:
    """No size does more than √((1 − α)/β), and a fit finds the law again."""
    law = usl.law(alpha, beta, one)
    assert law.throughput(1) == pytest.approx(one)
    assert all(law.throughput(n) <= law.highest * (1 + 1e-12) for n in range(1, 400))
    sizes = [1, 2, 4, 8, 16, 32]
    found = usl.fit(sizes, [law.throughput(n) for n in sizes])
    assert (found.alpha, found.beta, found.one) == pytest.approx((alpha, beta, one), rel=1e-5, abs=1e-8)


def test_without_coherence_it_is_amdahls_law() -> None:
    """β = 0: N/(1 + α(N − 1)), never above one/α, without a peak; with α = 0 too, linear."""
    law = usl.law(0.05, 0.0, 10.0)
    assert law.throughput(20) == pytest.approx(10 / (0.05 + 0.95 / 20))
    assert (law.peak, law.highest) == (math.inf, pytest.approx(200))
    assert usl.law(0.0, 0.0).highest == math.inf
    assert usl.law(1.0, 0.1).peak == 1


def test_a_fit_to_noise_has_no_negative_coefficients() -> None:
    """Measurements that scale better than linearly give 0, and noisy ones come near the truth."""
    better = usl.fit([1, 2, 4, 8], [1, 2.1, 4.4, 9.2])
    assert min(better.alpha, better.beta) == 0
    draw = random.Random(5)
    truth = usl.law(0.03, 0.0005, 100.0)
    sizes = list(range(1, 65))
    found = usl.fit(sizes, [truth.throughput(n) * draw.uniform(0.98, 1.02) for n in sizes])
    assert found.peak == pytest.approx(truth.peak, rel=0.1)


def test_the_tail_at_scale() -> None:
    """One in a hundred slow, a hundred parts: 63 % of the requests are slow; the part must keep its 99.99th."""
    assert tail.any_slow(0.01, 100) == pytest.approx(0.634, abs=5e-4)
    assert tail.any_slow(1e-15, 10) == pytest.approx(1e-14)
    assert tail.any_slow(1.0, 3) == 1
    assert tail.quantile_needed(0.99, 100) == pytest.approx(0.9999, abs=1e-6)


@given(shares, st.integers(1, 10_000))
def test_the_two_views_of_the_tail_agree(q: float, fan_out: int) -> None:
    """If all parts keep their q^(1/n)-quantile, a share 1 − q of the requests is slow."""
    assert tail.any_slow(1 - tail.quantile_needed(q, fan_out), fan_out) == pytest.approx(1 - q, abs=1e-9)


def test_beyond_patience_a_longer_queue_serves_fewer_in_time() -> None:
    """At ρ = 1.3 with a patience of one second: a short limit serves all in time, a long one nobody."""
    rates = [patience.in_time(52.0, 0.05, 2, limit, 1.0).rate for limit in (20, 40, 100, 1000)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 39
    assert rates[-1] < 1e-6


@pytest.mark.parametrize(("workers", "limit"), [(1, 1), (1, 20), (3, 12)])
def test_the_share_in_time_is_that_of_the_phase_type(workers: int, limit: int) -> None:
    """For M/M/1/K and M/M/c/K, times the rate of the admitted."""
    seen = balance.open_queue(60.0, 0.05, workers, limit).seen
    found = patience.in_time(60.0, 0.05, workers, limit, 0.2)
    assert found.share == pytest.approx(1 - balance.survival(seen, 0.05, workers, 0.2), rel=1e-9)
    assert found.rate == pytest.approx(found.share * mmck.steady_state(60.0, 0.05, workers, limit).throughput)


def test_a_bound_from_a_promise() -> None:
    """200 ms, 50 ms of work, 8 threads: 32."""
    assert patience.longest_queue(0.2, 0.05, 8) == 32


WRONG: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (little.in_system, (-1, 1), "admitted_rate"),
    (little.in_system, (1, -1), "sojourn_s"),
    (little.sojourn_s, (1, 0), "admitted_rate"),
    (little.admitted_rate, (1, 0), "sojourn_s"),
    (little.busy_workers, (1, math.nan), "service_time_s"),
    (drain.drain_s, (-1, 1, 2), "backlog"),
    (drain.drain_s, (1, 1, 0), "service_rate"),
    (drain.recovery_s, (-1, 0.5), "outage_s"),
    (drain.makespan_s, (1.5, 1, 1), "jobs"),
    (drain.makespan_s, (1, 0, 1), "workers"),
    (staffing.square_root_workers, (0, 1), "offered_load"),
    (staffing.square_root_workers, (1, 0), "beta"),
    (staffing.halfin_whitt_p_wait, (0,), "beta"),
    (staffing.workers_for, (10, 0), "p_wait"),
    (staffing.workers_for, (10, 1.1), "p_wait"),
    (staffing.utilization, (1, 0), "workers"),
    (amplification.attempts_per_request, (1.1, 3), "p_fail"),
    (amplification.attempts_per_request, (0.5, 0), "attempts"),
    (amplification.success, (-0.1, 3), "p_fail"),
    (amplification.through_layers, (3, 0), "layers"),
    (amplification.with_budget, (0.5, 3, -1), "budget"),
    (amplification.collapse_load, (0,), "attempts"),
    (throttling.rejection_probability, (-1, 0), "requests"),
    (throttling.rejection_probability, (1, 2), "accepts"),
    (throttling.rejection_probability, (1, 1, 0.5), "k"),
    (throttling.steady_state, (-1, 1), "demand"),
    (throttling.steady_state, (1, 1, 0), "k"),
    (usl.law, (1.1, 0), "alpha"),
    (usl.law, (0, -1), "beta"),
    (usl.law, (0, 0, 0), "one"),
    (usl.law(0.1, 0.1).throughput, (0.5,), "n"),
    (usl.fit, ([1, 2], [1, 2]), "n"),
    (usl.fit, ([1, 2, 2], [1, 2, 2]), "n"),
    (usl.fit, ([1, 2, 3], [1, 2]), "n"),
    (usl.fit, ([1, 2, 3], [1, 2, 0]), "throughput"),
    (tail.any_slow, (1.1, 3), "p_slow"),
    (tail.any_slow, (0.1, 0), "fan_out"),
    (tail.quantile_needed, (-0.1, 3), "q"),
    (patience.in_time, (60, 0.05, 3, 9, 0), "patience_s"),
    (patience.longest_queue, (0.2, 0, 8), "service_time_s"),
    (patience.longest_queue, (0.001, 0.05, 8), "latency_s"),
]


@pytest.mark.parametrize(("rule", "arguments", "name"), WRONG)
def test_what_makes_no_sense_is_told(rule: Callable[..., Any], arguments: tuple[Any, ...], name: str) -> None:
    """Name, value, bound and remedy."""
    with pytest.raises(ScenarioError, match=f"^{name} = .*: must be ") as caught:
        rule(*arguments)
    assert caught.value.remedy


@pytest.mark.parametrize(("rule", "arguments"), [(drain.drain_s, (10, 60, 60)), (drain.recovery_s, (600, 1.0))])
def test_what_never_drains_is_told(rule: Callable[..., float], arguments: tuple[float, ...]) -> None:
    """At and above capacity a backlog stays."""
    with pytest.raises(UnstableQueue, match="Use ") as caught:
        rule(*arguments)
    assert isinstance(caught.value, LabError)
