"""Two engines, one semantics."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo_workers.records.directory import Steer
from demo_workers.records.run import Run
from demo_workers.scenario import Load, Scenario
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import Engine, simulate
from tests.lessons.twin.scenarios import books_hold, scenarios

knobs = st.lists(
    st.tuples(st.floats(0, 4), st.sampled_from([("workers", 1), ("workers", 4), ("limit", 5), ("arrival_rate", 80.0)])),
    max_size=4,
)


costs = st.floats(0, 0.02)
overheads = st.builds(
    Overheads,
    before_s=costs,
    stretch_s=costs,
    after_s=costs,
    slot_s=st.none() | costs,
    pickup_s=costs,
    costs=st.lists(st.tuples(costs, costs, costs), max_size=5),
    pickups_s=st.lists(costs, max_size=5),
    seed=st.integers(0, 100),
)


def played(scenario: Scenario, steering: list[Steer], known: Overheads, engine: Engine) -> Run:
    """A scenario with knobs turned on the way."""
    asked = Run(
        scenario=scenario, source="live", steering=steering, events=simulate(Scenario(load=Load(arrival_rate=0))).events
    )
    return simulate(asked, overheads=known, engine=engine)


@pytest.mark.slow
@pytest.mark.timeout(400)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios, knobs, overheads)
def test_both_engines_write_the_same_rows(
    scenario: Scenario, turned: list[tuple[float, tuple[str, float]]], known: Overheads
) -> None:
    """Byte for byte, whatever policies, guards, knobs and overheads; and the books of every run hold."""
    steering = [Steer(t, knob, value) for t, (knob, value) in sorted(turned)]
    python, compiled = (played(scenario, steering, known, engine) for engine in ("python", "compiled"))
    assert python.events.tobytes() == compiled.events.tobytes()
    assert books_hold(python), python.ledger.table()
