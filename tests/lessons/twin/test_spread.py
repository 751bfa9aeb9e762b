"""The twin's own noise."""

from __future__ import annotations

from demo_workers.scenario import Load, Scenario, Service
from lessons.twin.overheads import Overheads
from lessons.twin.spread import spreads

SCENARIO = Scenario(load=Load(arrival_rate=30, duration_s=5), service=Service(service_time_s=0.02, workers=1))


def test_without_a_sample_there_is_no_noise() -> None:
    """All drawings are the same run."""
    found = spreads(SCENARIO, Overheads(before_s=0.001, after_s=0.002), times=3)
    assert max(spread.half_width for spread in found.values()) < 1e-12


def test_the_wider_the_sample_the_wider_the_spread() -> None:
    """Around about the same mean."""
    narrow, wide = [
        spreads(SCENARIO, Overheads(costs=20 * [(0.002 - d, 0.0, 0.0), (0.002 + d, 0.0, 0.0)])) for d in (0.0002, 0.002)
    ]
    assert 0 < narrow["sojourn_s"].half_width < wide["sojourn_s"].half_width
    assert abs(narrow["sojourn_s"].mean - wide["sojourn_s"].mean) < 0.5 * narrow["sojourn_s"].mean


def test_what_does_not_apply_has_no_spread() -> None:
    """Without a job there is no sojourn."""
    idle = SCENARIO.replace("load.arrival_rate", 0)
    assert "sojourn_s" not in spreads(idle, Overheads(), times=2)
