"""A live run that the twin stands in for, and what it is compared with; small enough to be played in a moment."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from demo_workers.errors import LabError
from demo_workers.records.run import Run
from demo_workers.scenario import Load, Scenario, Service
from lessons.theory import Prediction, predict_or_reason
from lessons.twin.simulate import Overheads, simulate

FAST = Service(service_time_s=0.05)
CALM = Scenario(load=Load(arrival_rate=40, duration_s=4), service=FAST)
GROWING = Scenario(load=Load(arrival_rate=90, duration_s=4), service=FAST)
FULL = GROWING.steered(limit=12)
CLOSED = Scenario(load=Load(kind="closed", clients=15, think_time_s=0.2, duration_s=4), service=FAST)
SPIKE = Load(kind="spike", arrival_rate=30, spike_rate=90, spike_start_s=1, spike_length_s=1, duration_s=4)
BURST = Scenario(load=SPIKE, service=FAST)
COST = Overheads(before_s=0.001, after_s=0.003)
DEAR = Overheads(before_s=0.015, after_s=0.003)


@cache
def live(scenario: Scenario, overheads: Overheads = COST) -> Run:
    """A run that says it was live; with other costs it has a bias."""
    return replace(simulate(scenario, overheads=overheads), source="live")


@cache
def twins(scenario: Scenario, *, same: int = 5, others: int = 12) -> tuple[Run, ...]:
    """Some on the scenario's own tape whose costs differ by a tenth at most, and one on the tape of each other seed."""
    steps = [1.0] if same == 1 else [0.9 + 0.2 * k / (same - 1) for k in range(same)]
    own = [simulate(scenario, overheads=Overheads(before_s=COST.before_s * f, after_s=COST.after_s * f)) for f in steps]
    return *own, *(simulate(replace(scenario, seed=1000 + k), overheads=COST) for k in range(others))


def theory(scenario: Scenario, overheads: Overheads = COST) -> Prediction | LabError:
    """What the formulas say, or why they do not."""
    return predict_or_reason(scenario, overhead_before_s=overheads.before_s, overhead_after_s=overheads.after_s)
