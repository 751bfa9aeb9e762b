"""The names that a scenario knows are the policies there are."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.admission import ADMIT, PLACE, TAKE, Adaptive
from demo_workers.scenario import HOOKS


def test_each_hook_has_the_policies_that_a_scenario_can_name() -> None:
    """Name by name, and none besides."""
    assert {name: set(names) for name, names in HOOKS.items()} == {
        "admit": set(ADMIT),
        "place": set(PLACE),
        "take": set(TAKE),
    }


@given(st.floats(1, 200), st.one_of(st.just(math.inf), st.integers(1, 1_000_000)))
def test_no_policy_at_the_door_widens_the_limit(adaptive: float, limit: float) -> None:
    """The smaller of both holds; for those without a bound of their own that is the scenario's."""
    for name, bound in ADMIT.items():
        found = min(limit, bound(Adaptive(limit=adaptive)))
        assert found == (min(limit, adaptive) if name == "adaptive" else limit)
