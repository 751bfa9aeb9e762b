"""What a job costs beside its service time is there in the twin, each part where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.run import Run
from demo_workers.records.tables import key
from demo_workers.scenario import Admission, Load, Scenario, Service
from demo_workers.stack import calibration
from lessons.twin.overheads import Overheads
from lessons.twin.simulate import simulate

BEFORE_S, STRETCH_S, AFTER_S, SLOT_S, PICKUP_S = 0.002, 0.001, 0.004, 0.003, 0.0007
KNOWN = Overheads(before_s=BEFORE_S, stretch_s=STRETCH_S, after_s=AFTER_S, slot_s=SLOT_S, pickup_s=PICKUP_S)


def one_worker(rate: float, *, limit: int | None = None, seed: int = 7) -> Scenario:
    """Jobs of 20 ms."""
    return Scenario(
        load=Load(arrival_rate=rate, duration_s=20),
        service=Service(service_time_s=0.02, distribution="deterministic", workers=1),
        admission=Admission(limit=limit),
        seed=seed,
    )


def pickups_s(run: Run) -> np.ndarray:
    """From admission to having been taken, by execution (seconds)."""
    rows = run.executions
    return np.asarray(rows["picked_s"] - run.attempts["admitted_s"][np.searchsorted(key(run.attempts), key(rows))])


def test_only_a_worker_that_waits_is_slow_to_take_a_job() -> None:
    """A job that was waiting is taken the moment its worker is free, one that was not a little after it came."""
    run = simulate(one_worker(25), overheads=KNOWN)
    waited, rows = pickups_s(run), run.executions
    freed = np.append(-np.inf, rows["finished_s"][:-1] + AFTER_S)
    found_idle = run.attempts["admitted_s"] > freed
    assert 0 < found_idle.sum() < len(rows)
    assert waited[found_idle] == pytest.approx(PICKUP_S)
    assert rows["picked_s"][~found_idle] == pytest.approx(freed[~found_idle])


def test_a_function_starts_late_and_takes_longer() -> None:
    """By what is known of it, whatever the job."""
    rows = simulate(one_worker(25), overheads=KNOWN).executions
    assert rows["started_s"] - rows["picked_s"] == pytest.approx(BEFORE_S)
    assert rows["finished_s"] - rows["started_s"] == pytest.approx(0.02 + STRETCH_S)


def test_a_slot_that_is_free_before_its_worker_lets_more_in() -> None:
    """With one slot and one worker, a job may come in while the worker still puts the last one away."""
    held, early = [
        simulate(one_worker(200, limit=1), overheads=Overheads(after_s=0.01, slot_s=slot_s)) for slot_s in (None, 0.0)
    ]
    assert early.measures.throughput > 1.1 * held.measures.throughput
    assert early.ledger.balanced


def test_jobs_draw_their_costs_from_the_sample() -> None:
    """All of the sample is drawn and nothing else, the same by the same seed, others by another one."""
    sample = [(0.001 * n, 0.0, 0.0) for n in range(1, 5)]
    known = Overheads(costs=sample)
    first, second, third = [
        simulate(one_worker(25), overheads=overheads) for overheads in (known, known, known.redrawn(1))
    ]
    before = first.executions["started_s"] - first.executions["picked_s"]
    assert sorted({round(float(cost), 6) for cost in before}) == [0.001, 0.002, 0.003, 0.004]
    assert first.events.tobytes() == second.events.tobytes()
    assert first.events.tobytes() != third.events.tobytes()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_calibration_finds_what_the_twin_was_told(workers: int) -> None:
    """Each part of the overhead, from the record of the calibration's own load alone."""
    found = calibration.overhead(simulate(calibration.scenario(workers), overheads=KNOWN))
    again = Overheads.measured(found)
    for name in ("before_s", "stretch_s", "after_s", "pickup_s"):
        assert getattr(again, name) == pytest.approx(getattr(KNOWN, name), rel=1e-6), name
    assert found.slot_s == pytest.approx(SLOT_S, abs=0.0015)  # so few look within so short a time
    assert len(again.costs) > 10
    assert len(again.pickups_s) > 3
