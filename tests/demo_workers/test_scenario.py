"""A scenario says what happens, and refuses what cannot be."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.errors import ScenarioError
from demo_workers.scenario import FIELDS, HOOKS, KNOBS, Admission, BackoffPolicy, Load, Retry, Scenario, Service, parse

rates = st.floats(0, 2000)
optional_s = st.none() | st.floats(1e-6, 30)
scenarios = st.builds(
    Scenario,
    load=st.builds(
        Load,
        kind=st.sampled_from(["poisson", "uniform", "ramp", "spike"]),
        arrival_rate=rates,
        duration_s=st.floats(1e-3, 3600),
        clients=st.integers(1, 100_000),
        ramp_to_rate=rates,
        spike_rate=rates,
        steps=st.lists(st.tuples(st.floats(0, 3600), rates), unique_by=lambda s: s[0]).map(sorted).map(tuple),
    ),
    service=st.builds(
        Service,
        service_time_s=st.floats(1e-6, 60),
        distribution=st.sampled_from(["exponential", "deterministic", "lognormal"]),
        work=st.sampled_from(["sleep", "cpu"]),
    ),
    admission=st.builds(
        Admission,
        policy=st.tuples(*map(st.sampled_from, HOOKS.values())).map("+".join)
        | st.sampled_from(sum(HOOKS.values(), ())),
        limit=st.none() | st.integers(1, 10**6),
        client_rate=st.none() | st.floats(1e-3, 2000),
    ),
    retry=st.builds(
        Retry,
        policy=st.sampled_from(get_args(BackoffPolicy)),
        timeout_s=optional_s,
        deadline_s=optional_s,
        budget_ratio=st.none() | st.floats(0, 10),
        breaker_failures=st.none() | st.integers(1, 10_000),
    ),
    seed=st.integers(0, 2**63 - 1),
)


@given(scenarios)
def test_toml_and_json_bring_back_the_same_scenario(scenario: Scenario) -> None:
    """What was written is what is read."""
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    assert Scenario.from_json(scenario.to_json()) == scenario


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("load.arrival_rate", -1),
        ("load.arrival_rate", math.nan),
        ("load.arrival_rate", math.inf),
        ("load.arrival_rate", "40"),
        ("load.arrival_rate", True),
        ("load.duration_s", 0),
        ("load.kind", "gamma"),
        ("load.steps", [[1, 2], [1, 3]]),
        ("load.steps", [[0, -4]]),
        ("load.steps", "often"),
        ("service.workers", 1.5),
        ("service.workers", 65),
        ("service.service_time_s", 61),
        ("service.distribution", "normal"),
        ("admission.limit", 0),
        ("admission.limit", 2.0),
        ("admission.policy", None),
        ("retry.attempts", 0),
        ("retry.timeout_s", 0),
        ("retry.honour_retry_after", 1),
        ("seed", -1),
        ("warmup_s", 10),
        ("drain_s", -0.1),
        ("load.colour", "blue"),
        ("load", {}),
    ],
)
def test_a_bad_value_names_itself_its_bound_and_a_remedy(path: str, value: object) -> None:
    """The error says name, value, bound and remedy."""
    with pytest.raises(ScenarioError) as caught:
        Scenario().replace(path, value)
    error = caught.value
    assert path.split(".")[-1] in error.name
    assert error.bound
    assert error.remedy
    assert repr(error.value) in str(error)


def test_steps_without_a_step_are_refused() -> None:
    """Kind and steps must agree."""
    with pytest.raises(ScenarioError, match="at least one pair"):
        Load(kind="steps")


@pytest.mark.parametrize("text", ["", "[load", '[load]\nkind = "x"', "load = 3", "[cloud]\nx = 1"])
def test_bad_toml_is_a_scenario_error(text: str) -> None:
    """A file that cannot be read never ends in another error."""
    if text:
        with pytest.raises(ScenarioError):
            Scenario.from_toml(text)
    else:
        assert Scenario.from_toml(text) == Scenario()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"load": 3}', '{"seed": "x"}'])
def test_bad_json_is_a_scenario_error(text: str) -> None:
    """The same for JSON."""
    with pytest.raises(ScenarioError):
        Scenario.from_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0.5", 0.5), ("none", "none"), ("true", True), ("full", "full"), ("[[0, 4]]", [[0, 4]])],
)
def test_a_value_on_the_command_line_means_what_it_says(text: str, value: object) -> None:
    """``--set`` takes numbers, booleans, none, lists and names."""
    assert parse("x", text) == value


def test_each_hook_of_an_admission_policy_has_one_name() -> None:
    """Hooks that are not named do what is usual there."""
    mixed = Admission(policy="drop_expired+lifo")
    assert [mixed.hook(name) for name in HOOKS] == ["reject", "lifo", "drop_expired"]
    assert [Admission(policy="naive").hook(name) for name in HOOKS] == ["naive", "fifo", "all"]


@pytest.mark.parametrize("policy", ["", "lifo+drop_oldest", "reject+reject", "lifo+", "+", "LIFO", None, 7])
def test_two_policies_at_one_hook_are_refused(policy: object) -> None:
    """The error says what may stand together."""
    with pytest.raises(ScenarioError, match=r"admission\.policy"):
        Admission(policy=policy)  # type: ignore[arg-type]  # what a TOML file may hold


def test_none_is_a_bound_everywhere_but_in_the_retry_policy() -> None:
    """``retry.policy=none`` is a policy, ``admission.limit=none`` no limit."""
    changed = Scenario(admission=Admission(limit=5)).replace("admission.limit", "none").replace("retry.policy", "none")
    assert changed.admission.limit is None
    assert changed.retry.policy == "none"


def test_every_knob_is_a_field_and_can_be_turned() -> None:
    """Steering a scenario by its short names changes that field alone."""
    assert set(KNOBS.values()) <= FIELDS
    changed = Scenario().steered(arrival_rate=60, limit=12, retry_policy="full")
    assert (changed.load.arrival_rate, changed.admission.limit, changed.retry.policy) == (60, 12, "full")
    with pytest.raises(ScenarioError, match="arrival_rat"):
        Scenario().steered(arrival_rat=60)
