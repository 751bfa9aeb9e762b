"""M/M/1 and M/M/c: the hockey stick, pooling, textbook values and the whole sojourn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from demo_workers.errors import ScenarioError, UnstableQueue
from lessons.theory import mm1, mmc

HOCKEY_STICK = {0.5: 2.0, 0.7: 10 / 3, 0.8: 5.0, 0.9: 10.0, 0.95: 20.0, 0.99: 100.0}
"""ρ → W in service times. Source: any textbook's M/M/1, W = S/(1 − ρ)."""


@pytest.mark.parametrize(("rho", "wanted"), HOCKEY_STICK.items())
def test_the_hockey_stick(rho: float, wanted: float) -> None:
    """W = 2, 3.3, 5, 10, 20, 100 service times, in M/M/1 and in M/M/c with one worker."""
    for found in (mm1.steady_state(rho / 0.05, 0.05), mmc.steady_state(rho / 0.05, 0.05, 1)):
        assert found.sojourn_s / 0.05 == pytest.approx(wanted)
        assert found.wait_s / 0.05 == pytest.approx(wanted - 1)
        assert found.in_system == pytest.approx(rho / (1 - rho))
        assert found.p_wait == pytest.approx(rho)


def test_the_slowest_hundredth() -> None:
    """p95 is 3.00 W and p99 4.61 W; at ρ = 0.9 the latter is 46 service times."""
    found = mm1.steady_state(0.9, 1.0)
    assert found.sojourn_quantile(0.95) / found.sojourn_s == pytest.approx(3.00, abs=0.005)
    assert found.sojourn_quantile(0.99) / found.sojourn_s == pytest.approx(4.61, abs=0.005)
    assert found.sojourn_quantile(0.99) == pytest.approx(46, abs=0.1)


def test_pooling() -> None:
    """At ρ = 0.8: 5 S in each of four queues, 1.75 S in one with four workers, 1.25 S with one four times as fast."""
    assert mm1.steady_state(0.8, 1.0).sojourn_s == pytest.approx(5)
    assert mmc.steady_state(3.2, 1.0, 4).sojourn_s == pytest.approx(1.75, abs=0.005)
    assert mm1.steady_state(3.2, 0.25).sojourn_s == pytest.approx(1.25)


def test_the_eye_clinic() -> None:
    """Three doctors, six patients an hour, twenty minutes each.

    Source: Gross, Shortle, Thompson and Harris, "Fundamentals of Queueing Theory", the example of the clinic: Lq = 8/9,
    L = 26/9, W = 28.9 minutes.
    """
    found = mmc.steady_state(0.1, 20.0, 3)
    assert found.backlog == pytest.approx(8 / 9)
    assert found.in_system == pytest.approx(26 / 9)
    assert found.sojourn_s == pytest.approx(28.9, abs=0.05)


@given(st.floats(0, 0.999), st.integers(1, 200), st.floats(0.05, 8.0))
def test_the_sojourn_is_a_wait_and_a_service(rho: float, workers: int, times: float) -> None:
    """P(sojourn > t) agrees with the matrix exponential of "wait, then serve"."""
    found = mmc.steady_state(rho * workers, 1.0, workers)
    assert found.sojourn is not None
    t = times * found.sojourn_s
    beta = workers * (1 - rho)
    left = np.array([found.p_wait, 1 - found.p_wait]) @ expm(np.array([[-beta, beta], [0, -1]]) * t) @ np.ones(2)
    assert found.sojourn.survival(t) == pytest.approx(left, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize("workers", [2, 3, 10])
def test_nothing_happens_where_the_two_rates_meet(workers: int) -> None:
    """At (c − 1)μ = λ the wait and the service have one rate; quantiles there are those beside it."""
    rate = workers - 1.0
    for q in (0.5, 0.95, 0.99):
        low, at, high = (mmc.steady_state(rate * f, 1.0, workers).sojourn_quantile(q) for f in (1 - 1e-9, 1, 1 + 1e-9))
        assert low == pytest.approx(at, rel=1e-7)
        assert high == pytest.approx(at, rel=1e-7)


@given(st.floats(0, 0.9999), st.integers(1, 1000), st.floats(1e-6, 1e3))
def test_quantiles_are_in_order_and_scale_with_the_service_time(rho: float, workers: int, service_s: float) -> None:
    """p50 < p95 < p99, and with jobs k times as long all times are k times as long."""
    found = mmc.steady_state(rho * workers / service_s, service_s, workers)
    unit = mmc.steady_state(rho * workers, 1.0, workers)
    p50, p95, p99 = (found.sojourn_quantile(q) for q in (0.5, 0.95, 0.99))
    assert 0 < p50 < p95 < p99
    assert p99 == pytest.approx(unit.sojourn_quantile(0.99) * service_s, rel=1e-6)
    assert found.in_system == pytest.approx(found.arrival_rate * found.sojourn_s, rel=1e-9)


def test_a_quantile_of_nothing_is_zero() -> None:
    """q = 0 takes no time, and P(sojourn > 0) is 1."""
    found = mmc.steady_state(40.0, 0.05, 3)
    assert found.sojourn is not None
    assert found.sojourn_quantile(0) == 0
    assert found.sojourn.survival(0.0) == found.sojourn.survival(-1.0) == 1
    with pytest.raises(ScenarioError, match=r"^t_s = -1"):
        found.sojourn.within(-1.0)


@pytest.mark.parametrize("rho", [1.0, 1.0001, 2.0, 10.0])
def test_too_much_work_is_told_with_the_remedy(rho: float) -> None:
    """The error names the rate, what the workers can do, how the backlog grows, and three ways out."""
    with pytest.raises(UnstableQueue) as caught:
        mmc.steady_state(rho * 60, 0.05, 3)
    said = str(caught.value)
    assert f"{rho * 60:g} per second" in said
    assert "at most 60 per second" in said
    assert f"at least {math.floor(rho * 3) + 1} workers, or a limit" in said
    assert rho == 1 or f"grows by {rho * 60 - 60:.4g} jobs per second" in said
    mmc.steady_state(rho * 60, 0.05, math.floor(rho * 3) + 1)  # the remedy is one
    with pytest.raises(UnstableQueue):
        mm1.steady_state(rho * 20, 0.05)


@pytest.mark.parametrize(("rate", "service_s", "name"), [(-1, 1, "arrival_rate"), (1, 0, "service_time_s")])
def test_what_makes_no_sense_is_told(rate: float, service_s: float, name: str) -> None:
    """Each model names the argument."""
    for model in (lambda: mm1.steady_state(rate, service_s), lambda: mmc.steady_state(rate, service_s, 3)):
        with pytest.raises(ScenarioError, match=f"^{name} = "):
            model()
    with pytest.raises(ScenarioError, match=r"^workers = "):
        mmc.steady_state(1.0, 0.1, 0)
