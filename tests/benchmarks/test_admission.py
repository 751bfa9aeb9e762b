"""The comparison of the admission policies: what it claims holds in the twin, and it can fail."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from benchmarks._policies import CAPACITY, POLICIES, UNLIMITED, Policy, overloaded, share_served
from demo_workers.scenario import HOOKS
from demo_workers.stack.calibration import Calibration
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import simulate

COST = Calibration(overhead_before_s=0.001, overhead_after_s=0.002, workers=3, jobs=100, stretch_s=0.0005)
TAPES = 4
SEED = random.randrange(2**31)


def shares(factor: float) -> dict[Policy, float]:
    """What each policy serves in the twin on average, all on the same tapes: on a single one luck may be larger."""
    return {
        policy: fmean(
            share_served(
                simulate(
                    overloaded(policy, factor, COST, SEED + n),
                    overheads=Overheads.measured(COST),
                    admit=policy.admit,
                    engine="python",
                )
            )
            for n in range(TAPES)
        )
        for policy in POLICIES
    }


def test_every_policy_that_there_is_takes_part() -> None:
    """And the token bucket; all under names of their own."""
    played = {part for policy in POLICIES for part in policy.admission.policy.split("+")}
    usual = {names[0] for names in HOOKS.values()}  # what happens unless another is named
    assert played | usual == {name for names in HOOKS.values() for name in names}
    assert any(policy.admission.client_rate for policy in POLICIES)
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)


@pytest.mark.parametrize("factor", [2.0, 5.0])
def test_in_overload_whoever_bounds_serves_more(factor: float) -> None:
    """Than no limit does, which serves the fewest of all."""
    found = shares(factor)
    bare = found.pop(UNLIMITED)
    assert bare < 0.7
    for policy, share in found.items():
        assert share > bare or not policy.bounded, f"{policy.name}, seed {SEED}"


def test_without_overload_nobody_needs_to_be_refused() -> None:
    """No policy costs much at 0.8 of the capacity."""
    found = shares(0.8)
    bare = found.pop(UNLIMITED)
    for policy, share in found.items():
        assert share > 0.9 * bare, f"{policy.name}, seed {SEED}"


def test_offered_is_what_was_asked_for() -> None:
    """So many times the capacity, whatever RQ costs."""
    for cost in (COST, Calibration(overhead_before_s=0.01, overhead_after_s=0.01, workers=3, jobs=100)):
        scenario = overloaded(UNLIMITED, 1.0, cost, SEED)
        held_s = scenario.service.service_time_s + cost.stretch_s + cost.overhead_s
        assert scenario.service.workers / held_s == pytest.approx(CAPACITY)
        assert scenario.load.arrival_rate == pytest.approx(CAPACITY)
