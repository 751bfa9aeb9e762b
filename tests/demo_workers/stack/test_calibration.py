"""What RQ costs per job, told apart into before and after the function."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.events import EVENT, NAN, Kind, Outcome, Result
from demo_workers.records.run import Run
from demo_workers.stack import Stack
from demo_workers.stack.calibration import overhead, scenario

BEFORE_S, AFTER_S, STRETCH_S = 0.002, 0.005, 0.001
WORK_S = scenario(1).service.service_time_s + STRETCH_S


def saturated(jobs: int, *, busy_quarter: float = 0.0) -> Run:
    """One worker and jobs that all wait from the start; in the first quarter everything RQ does takes longer."""
    rows = np.zeros(3 * jobs, EVENT)
    rows["value"], rows["attempt"], rows["limit"], rows["depth"], rows["actor"] = NAN, 1, -1, 1, 0
    end = 0.0
    for job in range(jobs):
        slow = 1.0 + busy_quarter * (job < jobs / 4)
        picked = end + AFTER_S * slow
        start = picked + BEFORE_S * slow
        end = start + WORK_S
        for row, (kind, code, t, value) in zip(
            rows[3 * job : 3 * job + 3],
            (
                (Kind.DECIDED, Outcome.ADMITTED, 0.0, NAN),
                (Kind.STARTED, 0, start, picked),
                (Kind.ENDED, Result.OK, end, NAN),
            ),
            strict=True,
        ):
            row["kind"], row["code"], row["t"], row["value"], row["request"] = kind, code, t, value, job
    return Run(scenario=scenario(1), source="live", steering=[], events=rows)


@pytest.mark.parametrize("busy", [0.0, 3.0])
def test_before_and_after_are_those_of_the_quietest_quarter(busy: float) -> None:
    """Whatever else ran on the machine for a while."""
    found = overhead(saturated(80, busy_quarter=busy))
    assert found.overhead_before_s == pytest.approx(BEFORE_S)
    assert found.overhead_after_s == pytest.approx(AFTER_S)
    assert found.overhead_s == pytest.approx(BEFORE_S + AFTER_S)
    assert found.stretch_s == pytest.approx(STRETCH_S)
    assert np.mean(found.samples, axis=0) == pytest.approx([BEFORE_S, STRETCH_S, AFTER_S], abs=1e-5)


def test_a_worker_that_had_nothing_to_do_costs_nothing() -> None:
    """Without jobs that waited there is nothing to measure, and that is said."""
    assert np.isnan(overhead(saturated(1)).overhead_s)


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.timeout(120)
async def test_a_forking_worker_costs_more_and_is_kept_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Both measured here, one after the other; the second time both are known."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stack = Stack("calibration")
    try:
        simple = await stack.calibrate(2)
        fork = await stack.calibrate(2, worker_class="fork")
        for found in (simple, fork):
            assert found.overhead_before_s > 0
            assert found.overhead_after_s > found.slot_s > 0
            assert found.stretch_s > 0
            assert found.pickup_s >= 0  # 0 where a busy machine left no worker idle
            assert found.workers == 2
        assert fork.overhead_s > 1.5 * simple.overhead_s
        assert (await stack.calibrate(2), await stack.calibrate(2, worker_class="fork")) == (simple, fork)
    finally:
        await stack.stop()
