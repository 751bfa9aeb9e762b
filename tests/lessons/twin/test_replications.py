"""Many runs of one scenario: other dice each time, one mean, and an interval that can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.errors import ScenarioError
from demo_workers.records.directory import Steer
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Scenario, Service
from lessons.theory import predict
from lessons.theory.prediction import KEYS
from lessons.twin import Overheads, replicate, simulate
from lessons.twin.family import seeds_of

SMALL = Scenario(
    load=Load(arrival_rate=40, duration_s=20),
    service=Service(service_time_s=0.05, workers=3),
    admission=Admission(limit=8),
)


def test_the_first_replication_is_the_scenario_s_own_run() -> None:
    """One replication is what ``simulate`` gives, without a word about its confidence; the others differ from it."""
    alone = replicate(SMALL, 1)
    assert alone.measures == [simulate(SMALL).measures]
    assert alone.to_dict()["wait_s_ci95"] is None
    many = replicate(SMALL, 5)
    assert many.measures[0] == alone.measures[0]
    assert len(set(many.values("wait_s"))) == 5


def test_seeds_follow_from_the_scenario_s_and_are_shared_with_no_other() -> None:
    """Same seed, same seeds; neighbours have none in common; each is one that a scenario takes."""
    for seed in (0, 7, 2**63 - 1):
        assert seeds_of(seed, 30)[:10] == seeds_of(seed, 10)
        assert not set(seeds_of(seed, 1000)) & set(seeds_of((seed + 1) % 2**63, 1000))
        assert [Scenario(seed=s).seed for s in seeds_of(seed, 100)] == seeds_of(seed, 100)


def test_every_key_has_a_mean_and_an_interval() -> None:
    """The keys that runs and predictions have, and each again with ``_ci95``; the mean is that of the values."""
    found = replicate(SMALL, 6)
    told = found.to_dict()
    assert list(told) == [*KEYS, *(f"{key}_ci95" for key in KEYS)]
    assert told["throughput"] == pytest.approx(np.mean(found.values("throughput")))
    assert all((told[f"{key}_ci95"] or 0) > 0 for key in ("wait_s", "p_block", "throughput"))
    assert found.balanced
    assert all(found.invariants.values())


def test_the_interval_holds_what_theory_says() -> None:
    """Of several keys, in most of eight base seeds: 95 % of the intervals would, and 70 % must."""
    theory = predict(SMALL).to_dict()
    held = []
    for seed in range(8):
        found = replicate(SMALL.replace("seed", 1000 + seed), 10)
        for key in ("p_block", "in_system", "wait_s"):
            mean, ci95 = found.mean(key), found.ci95(key)
            assert mean is not None
            assert ci95 is not None
            held.append(abs(mean - theory[key]) <= ci95)
    assert np.mean(held) >= 0.7


def test_overheads_reach_every_replication() -> None:
    """RQ's own time per job makes all of them slower."""
    bare, real = (replicate(SMALL, 3, overheads=Overheads(before_s=ms / 1000)) for ms in (0, 20))
    assert min(real.values("wait_s")) > 0.015
    assert max(bare.values("sojourn_p50_s")) < min(real.values("sojourn_p50_s"))


def test_a_run_s_knobs_are_turned_in_every_replication() -> None:
    """Of a steered run: the same knobs at the same times, other dice."""
    steering = [Steer(10.0, "arrival_rate", 0.0)]
    steered = Run(scenario=SMALL, source="live", steering=steering, events=simulate(SMALL).events)
    found = replicate(steered, 4)
    assert found.measures[0] == simulate(steered).measures
    assert max(found.values("throughput")) < 0.7 * min(replicate(SMALL, 4).values("throughput"))


def test_progress_is_told_after_each() -> None:
    """How many are done, and of how many."""
    told: list[tuple[int, int]] = []
    replicate(SMALL, 3, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_books_that_do_not_balance_are_told() -> None:
    """``naive`` lets in more than the limit: the line that says so is false if it is in any replication."""
    naive = SMALL.replace("admission.policy", "naive").replace("load.arrival_rate", 2000.0)
    found = replicate(naive.replace("load.duration_s", 3.0), 3)
    assert not found.balanced
    assert [name for name, held in found.invariants.items() if not held] == ["limit"]


@pytest.mark.parametrize("replications", [0, -1, 2.5, 1_000_000, True])
def test_a_number_of_replications_that_makes_no_sense_is_told(replications: int) -> None:
    """Name, value and bound."""
    with pytest.raises(ScenarioError, match=f"replications = {replications}"):
        replicate(SMALL, replications)
