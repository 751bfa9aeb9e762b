"""M/G/1, Kingman, Allen-Cunneen and the two-moment limit: exact where they claim it, near elsewhere."""

from __future__ import annotations

import heapq
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from demo_workers.errors import ScenarioError, UnstableQueue
from lessons.theory import kingman, mg1, mm1, mmc, mmck, random_sum, two_moments
from lessons.theory.steady_state import SteadyState
from lessons.theory.wait_and_service import WaitAndService, slices
from tests.lessons.theory.balance import md1k

AVERAGES = ("p_wait", "p_block", "backlog", "wait_s", "throughput")
loads = st.floats(0.01, 0.999)


def same(one: SteadyState, other: SteadyState, rel: float = 1e-9) -> None:
    """All averages agree."""
    for name in AVERAGES:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=rel, abs=1e-12), name


@given(loads)
def test_equal_jobs_wait_half_as_long(rho: float) -> None:
    """M/D/1 waits half of M/M/1; with cv = 1, Pollaczek-Khinchine is M/M/1."""
    random = mm1.steady_state(rho, 1.0)
    assert mg1.deterministic(rho, 1.0).wait_s == pytest.approx(random.wait_s / 2)
    same(mg1.steady_state(rho, 1.0, 1.0), random)


@given(loads, st.floats(0, 5))
def test_kingman_is_exact_for_random_arrivals(rho: float, cv: float) -> None:
    """With ca = 1 it is Pollaczek-Khinchine, and so is Allen-Cunneen for one worker."""
    exact = mg1.steady_state(rho, 1.0, cv).wait_s
    assert kingman.wait_s(rho, 1.0, 1.0, cv) == pytest.approx(exact)
    assert kingman.allen_cunneen_wait_s(rho, 1.0, 1, 1.0, cv) == pytest.approx(exact)


@given(loads, st.integers(1, 100))
def test_allen_cunneen_is_exact_for_exponential_work(rho: float, workers: int) -> None:
    """With ca = cs = 1 it is M/M/c."""
    exact = mmc.steady_state(rho * workers, 1.0, workers).wait_s
    assert kingman.allen_cunneen_wait_s(rho * workers, 1.0, workers, 1.0, 1.0) == pytest.approx(exact)


def test_the_known_mean_of_a_known_queue() -> None:
    """M/G/1 at ρ = 0.9 with cv = 0, 1, 3: 4.5, 9 and 45 service times of wait."""
    waits = [mg1.steady_state(0.9, 1.0, cv).wait_s for cv in (0, 1, 3)]
    assert waits == pytest.approx([4.5, 9, 45])


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99])
def test_evenly_spaced_arrivals_are_near_the_exact_root(rho: float) -> None:
    """D/M/1 waits σ/(μ(1 − σ)) with σ = exp(−(1 − σ)/ρ): within 0.02 S or 5 %; Kingman alone is far off at low load."""
    sigma = brentq(lambda s: s - math.exp(-(1 - s) / rho), 0, 1 - 1e-9 if rho < 0.99 else 0.999)
    exact = sigma / (1 - sigma)
    found = two_moments.steady_state(rho, 1.0, 1, None, ca=0.0, cs=1.0)
    assert found.wait_s == pytest.approx(exact, rel=0.05, abs=0.02)
    assert found.p_wait == pytest.approx(sigma, abs=0.06)
    assert rho > 0.5 or kingman.wait_s(rho, 1.0, 0.0, 1.0) > 1.5 * exact


@given(st.floats(0, 10), st.integers(1, 50), st.integers(1, 500))
def test_two_moments_of_exponential_work_are_m_m_c_k(rho: float, workers: int, limit: int) -> None:
    """With ca = cs = 1 nothing is approximate."""
    rate = rho * workers
    same(two_moments.steady_state(rate, 1.0, workers, limit, cs=1.0), mmck.steady_state(rate, 1.0, workers, limit))


@given(st.floats(0, 10), st.integers(1, 50), st.floats(0, 10))
def test_without_a_place_to_wait_only_the_mean_matters(rho: float, workers: int, cv: float) -> None:
    """K = c is Erlang B for any work."""
    found = two_moments.steady_state(rho * workers, 1.0, workers, workers, cs=cv)
    assert found.p_block == pytest.approx(mmck.steady_state(rho * workers, 1.0, workers, workers).p_block, rel=1e-9)


@given(st.floats(0.01, 0.95), st.integers(1, 50), st.floats(0, 5))
def test_without_a_limit_it_is_allen_cunneen(rho: float, workers: int, cv: float) -> None:
    """None and a limit that is never reached are the same."""
    free = two_moments.steady_state(rho * workers, 1.0, workers, None, cs=cv)
    wanted = kingman.allen_cunneen_wait_s(rho * workers, 1.0, workers, 1.0, cv)
    assert free.wait_s == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    same(two_moments.steady_state(rho * workers, 1.0, workers, 1_000_000, cs=cv), free, rel=1e-6)


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.8, 0.95, 1.0, 1.2, 2.0, 5.0])
@pytest.mark.parametrize("limit", [1, 2, 5, 10, 30])
def test_a_limit_on_equal_jobs_is_near_the_exact_chain(rho: float, limit: int) -> None:
    """M/D/1/K: refusals within 0.03 of the exact ones, waits within a fifth of a service time or 4 %."""
    exact, found = md1k(rho, limit), two_moments.steady_state(rho, 1.0, 1, limit, cs=0.0)
    assert found.p_block == pytest.approx(exact.p_block, abs=0.03)
    assert found.wait_s == pytest.approx(exact.wait, abs=0.2, rel=0.04)


def played(rho: float, workers: int, limit: int, cv: float) -> tuple[float, float]:
    """Share refused and mean wait (service times) of seventy thousand lognormal jobs, one after the other (seeded)."""
    draw, sigma = np.random.default_rng(4), math.sqrt(math.log1p(cv * cv))
    services = np.exp(sigma * draw.standard_normal(70_000) - sigma * sigma / 2)
    arrivals = np.cumsum(draw.exponential(1 / (rho * workers), len(services)))
    free, inside, waits = [0.0] * workers, list[float](), list[float]()
    for came, service in zip(arrivals.tolist(), services.tolist(), strict=True):
        while inside and inside[0] <= came:
            heapq.heappop(inside)
        if len(inside) < limit:
            started = max(came, heapq.heappop(free))
            heapq.heappush(free, started + service)
            heapq.heappush(inside, started + service)
            waits.append(started - came)
    return 1 - len(waits) / len(arrivals), sum(waits) / len(waits)


@pytest.mark.parametrize("rho", [0.9, 1.3])
@pytest.mark.parametrize(("workers", "limit"), [(1, 9), (3, 11), (3, 33)])
@pytest.mark.parametrize(("cv", "refused"), [(0.5, 0.03), (2.0, 0.06)])
def test_a_limit_on_lognormal_jobs_is_near_a_simulation(
    rho: float, workers: int, limit: int, cv: float, refused: float
) -> None:
    """As near as a prediction says: refusals within 0.03, or 0.06 at cv 2, waits within a fifth."""
    p_block, wait = played(rho, workers, limit, cv)
    found = two_moments.steady_state(rho * workers, 1.0, workers, limit, cs=cv)
    assert found.p_block == pytest.approx(p_block, abs=refused)
    assert found.wait_s == pytest.approx(wait, rel=0.2)


def test_exponential_work_is_a_worse_guess_for_equal_jobs() -> None:
    """The scaling earns its place: M/M/1/K itself is three times as far from M/D/1/K or more."""
    for rho, limit in ((0.8, 10), (0.95, 10), (1.2, 30)):
        exact = md1k(rho, limit).wait
        scaled = two_moments.steady_state(rho, 1.0, 1, limit, cs=0.0).wait_s
        assert abs(mmck.steady_state(rho, 1.0, 1, limit).wait_s - exact) > 3 * abs(scaled - exact)


def test_a_clock_that_feeds_a_clock() -> None:
    """D/D/c: below capacity nobody waits, above it just the excess is refused and the queue is full."""
    below = two_moments.steady_state(54.0, 0.05, 3, 9, ca=0.0, cs=0.0)
    assert (below.p_wait, below.p_block) == (0, 0)
    assert below.wait_s == pytest.approx(0, abs=1e-6)
    above = two_moments.steady_state(80.0, 0.05, 3, 9, ca=0.0, cs=0.0)
    assert above.p_block == pytest.approx(0.25)
    assert above.backlog == pytest.approx(6, rel=1e-4)


def lindley(rho: float, services: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Sojourns of one worker's queue with random arrivals, job by job (seeded)."""
    gaps = np.random.default_rng(7).exponential(1 / rho, len(services))
    walk = np.cumsum(np.append(0.0, services[:-1] - gaps[1:]))
    return np.asarray(walk - np.minimum.accumulate(walk) + services)


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_the_waits_of_one_worker_spread_as_those_of_a_million_jobs(rho: float, cv: float) -> None:
    """M/G/1 with equal and with lognormal jobs: p50, p95 and p99 within 4 % of a direct computation."""
    sigma = math.sqrt(math.log1p(cv * cv))
    normal = np.random.default_rng(8).standard_normal(1_000_000)
    sojourns = lindley(rho, np.exp(sigma * normal - sigma * sigma / 2))

    def service_at(u: float) -> float:
        return math.exp(sigma * NormalDist().inv_cdf(u) - sigma * sigma / 2)

    services = slices(service_at)
    found = WaitAndService(random_sum.wait_survival(rho, rho, 1, services), services)
    for q in (0.5, 0.95, 0.99):
        assert found.quantile(q) == pytest.approx(float(np.quantile(sojourns, q)), rel=0.04), q


@pytest.mark.parametrize("workers", [1, 4, 50])
@pytest.mark.parametrize("rho", [0.1, 0.8, 0.99])
def test_exponential_jobs_wait_as_in_m_m_c(workers: int, rho: float) -> None:
    """The random sum of exponential residual services is the wait of M/M/c, for any number of workers."""
    exact = mmc.steady_state(rho * workers, 1.0, workers)
    assert exact.wait_survival is not None
    found = random_sum.wait_survival(exact.p_wait, rho, workers, slices(lambda u: -math.log1p(-u)))
    times = np.linspace(0, 8 / (workers * (1 - rho)), 50)
    assert found(times) == pytest.approx(exact.wait_survival(times), rel=0.02, abs=1e-4)


@given(st.floats(0.1, 5), st.integers(1, 10), st.integers(0, 50), st.sampled_from([0.0, 1.0]), st.floats(0, 4))
def test_a_guessed_wait_is_a_distribution(rho: float, workers: int, room: int, ca: float, cs: float) -> None:
    """P(wait > t) falls from at most P(wait) to 0 at the end of the room."""
    found = two_moments.steady_state(rho * workers, 1.0, workers, workers + room, ca=ca, cs=cs)
    assert found.wait_survival is not None
    heights = found.wait_survival(np.linspace(0, room / workers, 50))
    assert np.all(np.isfinite(heights))
    assert np.all(np.diff(heights) <= 1e-12)
    assert heights[0] == pytest.approx(found.p_wait if room else 0, abs=1e-9)
    assert heights[-1] == pytest.approx(0, abs=1e-9)


def test_errors() -> None:
    """Unstable without a limit; negative variations and shares are told by name."""
    for model in (
        lambda: mg1.steady_state(20.0, 0.05, 1.0),
        lambda: kingman.wait_s(20.0, 0.05, 1.0, 1.0),
        lambda: kingman.allen_cunneen_wait_s(60.0, 0.05, 3, 1.0, 1.0),
        lambda: two_moments.steady_state(60.0, 0.05, 3, None, cs=0.5),
    ):
        with pytest.raises(UnstableQueue, match="or a limit"):
            model()
    for name, call in (
        ("cv", lambda: mg1.steady_state(1.0, 0.05, -1.0)),
        ("ca", lambda: kingman.wait_s(1.0, 0.05, -1.0, 1.0)),
        ("cs", lambda: kingman.wait_s(1.0, 0.05, 1.0, math.nan)),
        ("workers", lambda: kingman.allen_cunneen_wait_s(1.0, 0.05, 0, 1.0, 1.0)),
        ("rho", lambda: kingman.calm_arrivals(-0.1, 0.0, 1.0)),
        ("limit", lambda: two_moments.steady_state(1.0, 0.05, 3, 0, cs=1.0)),
        ("cs", lambda: two_moments.steady_state(1.0, 0.05, 3, 9, cs=-1.0)),
    ):
        with pytest.raises(ScenarioError, match=f"^{name} = "):
            call()
    with pytest.raises(ScenarioError, match=r"^q = 0\.5: .*whole distribution"):
        mg1.steady_state(10.0, 0.05, 1.0).sojourn_quantile(0.5)
