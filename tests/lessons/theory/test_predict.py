"""A scenario's prediction: the model that fits, the shared names, and what is said to be left out."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError, UnstableQueue
from demo_workers.records.measures import Measures
from demo_workers.scenario import Scenario
from lessons.theory import Prediction, closed_loop, mm1, mmc, mmck, predict

TIMES = ("wait_s", "sojourn_s", "sojourn_p50_s", "sojourn_p95_s", "sojourn_p99_s")


def scenario(**changes: Any) -> Scenario:
    """The default scenario with dotted fields changed; ``load__kind="spike"`` is ``load.kind``."""
    data = Scenario().to_dict()
    for path, value in changes.items():
        section, _, name = path.rpartition("__")
        data[section][name] = value
    return Scenario.from_dict(data)


def assert_sound(found: Prediction) -> None:
    """Finite numbers that keep Little's law and the utilization law."""
    shown = found.to_dict()
    assert all(math.isfinite(value) for value in shown.values() if isinstance(value, float))
    assert found.backlog == pytest.approx(found.throughput * found.wait_s, rel=1e-9, abs=1e-12)
    assert found.in_system == pytest.approx(found.throughput * found.sojourn_s, rel=1e-9, abs=1e-12)
    assert found.in_system == pytest.approx(found.backlog + found.in_service, rel=1e-9, abs=1e-12)
    assert 0 <= found.p_block <= 1
    assert 0 <= found.p_wait <= 1
    assert found.goodput is None or 0 <= found.goodput <= found.throughput
    json.dumps(shown, allow_nan=False)


def test_its_keys_are_those_of_a_run() -> None:
    """In the same order, then model, why and approximate."""
    shared = [f.name for f in fields(Measures)]
    assert list(predict(Scenario()).to_dict()) == [*shared, "model", "why", "approximate"]


def test_random_arrivals_of_exponential_work_are_exact() -> None:
    """M/M/c, M/M/1 and M/M/c/K, by their own modules, with nothing approximate."""
    for found, state, model in (
        (predict(scenario()), mmc.steady_state(40.0, 0.05, 3), "M/M/3"),
        (predict(scenario(service__workers=1, load__arrival_rate=18.0)), mm1.steady_state(18.0, 0.05), "M/M/1"),
        (predict(scenario(admission__limit=9)), mmck.steady_state(40.0, 0.05, 3, 9), "M/M/3/9"),
        (predict(scenario(admission__limit=3)), mmck.steady_state(40.0, 0.05, 3, 3), "M/M/3/3"),
    ):
        assert (found.model, found.approximate) == (model, ())
        for name in ("p_wait", "p_block", "backlog", "in_system", "wait_s", "sojourn_s", "throughput", "utilization"):
            assert getattr(found, name) == pytest.approx(getattr(state, name), rel=1e-12), (model, name)
        assert found.sojourn_p99_s == state.sojourn_quantile(0.99)
        assert (found.goodput, found.retry_amplification) == (found.throughput, 1)


def test_a_closed_loop_is_the_machine_repairman() -> None:
    """With the clients and think time of the load; its arrival rate plays no part."""
    found = predict(scenario(load__kind="closed", load__clients=30, load__think_time_s=0.2, load__arrival_rate=999.0))
    state = closed_loop.steady_state(30, 0.2, 0.05, 3)
    assert (found.model, found.approximate) == ("M/M/3/30/30", ())
    assert found.throughput == pytest.approx(state.throughput)
    assert found.sojourn_p95_s == pytest.approx(state.sojourn_quantile(0.95))
    equal = predict(scenario(load__kind="closed", service__distribution="deterministic"))
    assert any("taken as exponential" in sentence for sentence in equal.approximate)


@pytest.mark.parametrize(
    ("changes", "model", "exact"),
    [
        ({"service__distribution": "deterministic", "service__workers": 1, "load__arrival_rate": 10.0}, "M/D/1", True),
        ({"service__distribution": "lognormal", "service__workers": 1, "load__arrival_rate": 10.0}, "M/G/1", True),
        ({"service__distribution": "lognormal", "service__cv": 2.0}, "M/G/3", False),
        ({"service__distribution": "lognormal", "service__cv": 0.0}, "M/D/3", False),
        ({"service__distribution": "lognormal", "admission__limit": 9}, "M/G/3/9", False),
        ({"service__distribution": "lognormal", "admission__limit": 3}, "M/G/3/3", True),
        ({"load__kind": "uniform"}, "D/M/3", False),
        ({"load__kind": "uniform", "admission__limit": 9}, "D/M/3/9", False),
        ({"load__kind": "uniform", "service__distribution": "deterministic"}, "D/D/3", True),
        ({"admission__limit": 2}, "M/M/2/2", True),
    ],
)
def test_other_work_and_other_arrivals(changes: dict[str, Any], model: str, exact: bool) -> None:
    """Each has its model and its quantiles, and says whether it is approximate."""
    found = predict(scenario(**changes))
    assert_sound(found)
    assert found.model == model
    assert (found.approximate == ()) == exact
    assert found.sojourn_p50_s is not None
    assert found.why[0].isupper()
    assert found.why.endswith(".")


def test_equal_jobs_wait_half_as_long_and_a_clock_makes_nobody_wait() -> None:
    """M/D/1 against M/M/1; D/D/3 below capacity."""
    one = {"service__workers": 1, "load__arrival_rate": 16.0}
    equal, random = predict(scenario(service__distribution="deterministic", **one)), predict(scenario(**one))
    assert equal.wait_s == pytest.approx(random.wait_s / 2)
    clock = predict(scenario(load__kind="uniform", service__distribution="deterministic"))
    assert clock.p_wait == 0
    assert clock.sojourn_p99_s == pytest.approx(0.05)


def test_lognormal_work_of_cv_one_is_not_exponential() -> None:
    """Its mean wait is, with one worker; its quantiles are not."""
    one = {"service__workers": 1, "load__arrival_rate": 14.0}
    lognormal, exponential = predict(scenario(service__distribution="lognormal", **one)), predict(scenario(**one))
    assert lognormal.wait_s == pytest.approx(exponential.wait_s)
    assert lognormal.sojourn_p99_s != pytest.approx(exponential.sojourn_p99_s, rel=0.01)


def test_what_rq_costs_is_wait_before_and_only_worker_time_after() -> None:
    """Both make the workers slower; the sojourn has the first in it and not the second, and Little's law holds."""
    plain = predict(scenario())
    before, after = (predict(scenario(), **{f"overhead_{side}_s": 0.005}) for side in ("before", "after"))
    for found in (before, after):
        assert_sound(found)
        assert found.p_wait == pytest.approx(mmc.steady_state(40.0, 0.055, 3).p_wait)
        assert found.utilization == pytest.approx(plain.utilization)
        assert any("5 ms" in sentence and "54.55 per second" in sentence for sentence in found.approximate)
    assert before.sojourn_s - after.sojourn_s == pytest.approx(0.005)
    for name in TIMES:
        assert getattr(before, name) == pytest.approx(getattr(after, name) + 0.005, rel=1e-6)
        assert getattr(after, name) > getattr(plain, name)
    with pytest.raises(UnstableQueue, match=r"at 0\.08 s per job"):
        predict(scenario(), overhead_before_s=0.02, overhead_after_s=0.01)


def test_a_tiny_cost_changes_next_to_nothing() -> None:
    """The path with overhead meets the path without it, quantiles included."""
    for changes in ({}, {"admission__limit": 9, "load__arrival_rate": 70.0}, {"load__kind": "closed"}):
        plain, little = predict(scenario(**changes)), predict(scenario(**changes), overhead_before_s=1e-9)
        for name in (*TIMES, "throughput", "goodput"):
            assert getattr(little, name) == pytest.approx(getattr(plain, name), rel=5e-3), (changes, name)


def test_patience_bounds_what_is_useful() -> None:
    """Goodput is throughput times the share within the shorter of time-out and deadline; the queue is as it was."""
    found = predict(scenario(retry__timeout_s=0.2, retry__deadline_s=5.0, admission__limit=30, load__arrival_rate=66.0))
    assert found.sojourn is not None
    assert found.goodput == pytest.approx(found.throughput * found.sojourn.within(0.2))
    assert found.goodput < 0.9 * found.throughput
    assert found.throughput == pytest.approx(mmck.steady_state(66.0, 0.05, 3, 30).throughput)


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"retry__attempts": 4}, False),
        ({"retry__attempts": 4, "admission__limit": 9}, True),
        ({"retry__attempts": 4, "retry__timeout_s": 1.0}, True),
        ({"retry__attempts": 4, "admission__limit": 9, "retry__policy": "none"}, False),
        ({"retry__attempts": 1, "admission__limit": 9, "retry__timeout_s": 1.0}, False),
    ],
)
def test_retries_are_left_out_and_that_is_said(changes: dict[str, Any], again: bool) -> None:
    """Where an attempt can fail and come again, amplification and goodput are unknown; elsewhere they are known."""
    found = predict(scenario(**changes))
    assert (found.retry_amplification is None) == (found.goodput is None) == again
    assert any("Retries" in sentence for sentence in found.approximate) == again


@pytest.mark.parametrize(
    ("changes", "word", "spread_known"),
    [
        ({"admission__policy": "naive", "admission__limit": 9}, "races", True),
        ({"admission__policy": "lifo"}, "Newest first", False),
        ({"admission__policy": "drop_oldest", "admission__limit": 9}, "oldest", False),
        ({"admission__policy": "priority", "load__urgent_share": 0.2}, "Urgent", False),
        ({"admission__policy": "lifo+drop_expired", "retry__timeout_s": 1.0}, "client has gone", False),
        ({"admission__policy": "codel"}, "CoDel", False),
        ({"admission__policy": "adaptive", "admission__limit": 9}, "adaptive", True),
        ({"admission__client_rate": 5.0}, "429", True),
        ({"load__kind": "closed", "retry__timeout_s": 1.0}, "patience ends", True),
        ({"service__service_time_s": 30.0, "load__arrival_rate": 0.05}, "longer than 60 s", True),
    ],
)
def test_what_the_formulas_have_not_is_said(changes: dict[str, Any], word: str, spread_known: bool) -> None:
    """One sentence each; where the order of service is another, how waits spread is not claimed."""
    found = predict(scenario(**changes))
    assert_sound(found)
    assert any(word in sentence for sentence in found.approximate)
    assert (found.sojourn_p95_s is not None) == spread_known


def test_a_policy_that_cannot_act_is_not_mentioned() -> None:
    """Nobody is urgent, nothing can expire."""
    for policy in ("priority", "drop_expired", "fifo", "reject"):
        found = predict(scenario(admission__policy=policy))
        assert found.approximate == ()
        assert found.sojourn_p95_s is not None


def test_a_load_that_changes_needs_one_of_its_rates() -> None:
    """The error lists them; with a rate stated it is that of a constant load."""
    for kind, rates in (("spike", "40, 90"), ("ramp", "40, 80"), ("steps", "5, 40, 60")):
        changing = scenario(load__kind=kind, load__steps=[[2.0, 60.0], [4.0, 5.0]])
        with pytest.raises(ScenarioError, match=rf"^load\.kind = '{kind}': .*{rates} per second"):
            predict(changing)
        assert predict(changing, arrival_rate=40.0).to_dict() == predict(scenario()).to_dict()
    flat = scenario(load__kind="spike", load__spike_rate=40.0)
    assert predict(flat).to_dict() == predict(scenario()).to_dict()


def test_a_short_run_is_told_apart_from_the_long_run() -> None:
    """Near full load ten seconds are too short, an hour is not; at two thirds ten seconds do."""
    near = {"load__arrival_rate": 57.0}
    assert "long run" in predict(scenario(**near)).why
    assert "long run" not in predict(scenario(**near, load__duration_s=3600.0)).why
    assert "long run" not in predict(scenario()).why


def test_without_a_limit_too_much_work_has_no_prediction() -> None:
    """With a limit it has."""
    for distribution in ("exponential", "deterministic", "lognormal"):
        for rate in (60.0, 61.0, 600.0):
            with pytest.raises(UnstableQueue, match=r"at most 60 per second.*or a limit"):
                predict(scenario(load__arrival_rate=rate, service__distribution=distribution))
            limited = predict(scenario(load__arrival_rate=rate, service__distribution=distribution, admission__limit=9))
            assert_sound(limited)
            assert limited.p_block > 0


@pytest.mark.parametrize("name", ["arrival_rate", "overhead_before_s", "overhead_after_s"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_makes_no_sense_is_told(name: str, value: float) -> None:
    """By the argument's name."""
    with pytest.raises(ScenarioError, match=f"^{name} = "):
        predict(Scenario(), **{name: value})


def test_without_workers_there_is_none() -> None:
    """Nothing would ever be served."""
    with pytest.raises(ScenarioError, match=r"^service\.workers = 0"):
        predict(scenario(service__workers=0))


def test_nobody_comes() -> None:
    """At rate 0 everything is 0 but the time that a lone job would take."""
    for changes in ({}, {"admission__limit": 9}, {"load__kind": "uniform"}, {"service__distribution": "lognormal"}):
        found = predict(scenario(load__arrival_rate=0.0, **changes))
        assert_sound(found)
        assert (found.throughput, found.backlog, found.p_block, found.wait_s) == (0, 0, 0, 0)
        assert found.sojourn_s == pytest.approx(0.05)


@given(
    kind=st.sampled_from(["poisson", "uniform", "closed"]),
    distribution=st.sampled_from(["exponential", "deterministic", "lognormal"]),
    rate=st.floats(0, 2000),
    service_s=st.floats(1e-3, 60),
    cv=st.floats(0, 10),
    workers=st.integers(1, 64),
    limit=st.one_of(st.none(), st.integers(1, 1000)),
    think_s=st.floats(1e-3, 3600),
    cost_s=st.sampled_from([0.0, 0.004]),
)
def test_every_scenario_has_a_sound_prediction_or_is_unstable(
    kind: str, distribution: str, rate: float, service_s: float, cv: float, workers: int, limit: int | None,
    think_s: float, cost_s: float,
) -> None:  # fmt: skip
    """No other error, no NaN, laws kept, quantiles in order."""
    asked = scenario(
        load__kind=kind, load__arrival_rate=rate, load__think_time_s=think_s, service__service_time_s=service_s,
        service__cv=cv, service__workers=workers, service__distribution=distribution, admission__limit=limit,
    )  # fmt: skip
    try:
        found = predict(asked, overhead_before_s=cost_s, overhead_after_s=cost_s)
    except UnstableQueue:
        assert limit is None
        assert rate * (service_s + 2 * cost_s) >= workers
        return
    assert_sound(found)
    quantiles = [found.sojourn_p50_s, found.sojourn_p95_s, found.sojourn_p99_s]
    for low, high in pairwise(quantiles):
        assert low is not None
        assert high is not None
        assert 0 < low <= high * (1 + 1e-9)
