"""All the twins of one run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo_workers.errors import ScenarioError
from demo_workers.records.directory import Steer
from lessons.check.gaps import Spread
from lessons.twin.family import redrawn_twins, twins_of
from lessons.twin.simulate import Overheads, simulate
from tests.lessons.compared import CALM, COST


def test_the_first_is_on_the_runs_own_tape_and_the_others_are_not() -> None:
    """Each on another one; what was done to the run is done to all of them, and somebody hears of each."""
    turned = [Steer(1.0, "arrival_rate", 80.0)]
    live = replace(simulate(CALM), source="live", steering=turned)
    heard: list[tuple[int, int]] = []
    found = twins_of(live, seeds=4, overheads=COST, progress=lambda *done: heard.append(done))
    own = simulate(live, overheads=COST)
    assert found[0].events.tobytes() == own.events.tobytes()
    assert len({run.scenario.seed for run in found}) == 4
    assert {tuple(run.steering) for run in found} == {tuple(turned)}
    assert {run.source for run in found} == {"twin"}
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_neighbouring_seeds_have_families_of_their_own() -> None:
    """No tape is shared."""
    seeds = [run.scenario.seed for seed in (7, 8) for run in twins_of(replace(CALM, seed=seed), seeds=5)]
    assert len(set(seeds)) == 10


def test_nobody_is_no_family() -> None:
    """At least the twin itself."""
    with pytest.raises(ScenarioError, match="at least 1"):
        twins_of(CALM, seeds=0)
    with pytest.raises(ScenarioError, match="at least 1"):
        redrawn_twins(CALM, COST, times=0)


def test_the_wider_the_sample_the_further_apart_are_its_twins() -> None:
    """On one tape, around about the same mean; without a sample they are one and the same."""
    none, narrow, wide = [
        redrawn_twins(CALM, Overheads(costs=20 * [(0.002 - d, 0.0, 0.0), (0.002 + d, 0.0, 0.0)]))
        for d in (0.0, 0.0002, 0.002)
    ]
    assert {run.scenario.seed for run in (*none, *narrow, *wide)} == {CALM.seed}
    assert len({run.events.tobytes() for run in none}) == 1
    a, b = [Spread.of([run.measures.sojourn_s or 0.0 for run in runs]) for runs in (narrow, wide)]
    assert a is not None
    assert b is not None
    assert 0 < a.one_more < b.one_more
    assert a.mean == pytest.approx(b.mean, rel=0.2)
