"""The comparison of live system and twin judges fairly: tried on runs of which the truth is known."""

from __future__ import annotations

import random

import pytest

from benchmarks._gaps import NAMES, compare, explained
from benchmarks._settings import MOST_RATE, OVERLOADED, QUIET, offered, settings
from demo_workers.stack import calibration
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import simulate

TRUE = Overheads(before_s=0.001, stretch_s=0.0005, after_s=0.002, slot_s=0.001, pickup_s=0.0005)
BAR = 0.10
SEED = random.randrange(2**31)


def measured(overheads: Overheads, workers: int) -> calibration.Calibration:
    """What a calibration finds where these are the truth."""
    return calibration.overhead(simulate(calibration.scenario(workers), overheads=overheads))


def test_settings_are_those_that_were_promised() -> None:
    """The same seed gives the same ones, and all lie within the bounds."""
    found = settings(SEED, 200, 5.0)
    assert found == settings(SEED, 200, 5.0) != settings(SEED + 1, 200, 5.0)
    for scenario in found:
        rho, room = offered(scenario), scenario.admission.limit
        assert scenario.service.service_time_s >= 0.02
        assert QUIET[0] - 1e-9 <= rho <= QUIET[1] + 1e-9 or (OVERLOADED[0] <= rho <= OVERLOADED[1] + 1e-9 and room)
        assert rho * scenario.service.workers / scenario.service.service_time_s <= MOST_RATE * 1.001
        assert scenario.retry.attempts == 1 or room
        assert scenario.retry.timeout_s is None
    assert {scenario.load.kind for scenario in found} == {"poisson", "closed"}
    assert {scenario.service.workers for scenario in found} == {1, 2, 3, 4}


def test_a_twin_that_knows_the_truth_agrees() -> None:
    """In every setting, with itself in place of the live system."""
    for scenario in settings(SEED, 8, 5.0):
        one = compare(simulate(scenario, overheads=TRUE), measured(TRUE, scenario.service.workers), BAR)
        assert [gap.name for gap in one.gaps] == list(NAMES)
        assert one.agrees, f"--seed {SEED}: {one.worst}"


def test_a_twin_that_was_told_wrong_does_not() -> None:
    """Jobs that cost half their service time more than was measured are found out, and that is named as the cause."""
    scenario = next(one for one in settings(SEED, 200, 5.0) if one.admission.limit is None and offered(one) > 0.5)
    workers, more_s = scenario.service.workers, 0.5 * scenario.service.service_time_s
    slow = Overheads(before_s=more_s, stretch_s=0.0005, after_s=0.002)
    one = compare(simulate(scenario, overheads=slow), measured(TRUE, workers), BAR)
    assert not one.agrees
    assert any("the cost of this run" in line for line in explained(one))


@pytest.mark.parametrize(("live", "agrees"), [(2.0, True), (9.0, False)])
def test_a_rate_may_be_two_events_off(live: float, agrees: bool) -> None:
    """One refusal or two in a few seconds are no finding; many where the twin has none are."""
    quiet = next(one for one in settings(SEED, 200, 5.0) if one.admission.limit is None)
    one = compare(simulate(quiet, overheads=TRUE), measured(TRUE, quiet.service.workers), BAR)
    (shed,) = [gap for gap in one.gaps if gap.name == "shed_rate"]
    window_s = 0.8 * quiet.load.duration_s
    assert shed.twin.mean == 0
    assert (live / window_s <= shed.allowed) is agrees
