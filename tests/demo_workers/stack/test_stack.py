"""The whole system, live: invariants and orderings, never an exact latency."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import numpy as np
import psutil
import pytest

from demo_workers.errors import LabError, LoadGeneratorLagging, ScenarioError
from demo_workers.records.directory import KEEP, RunDirectory, runs_directory
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.live import ended, play
from tests.processes import children, running

pytestmark = pytest.mark.live


def overload(seed: int, **more: float) -> Scenario:
    """Twice what three workers can do, limit 12."""
    return Scenario(
        load=Load(arrival_rate=60, duration_s=more.get("duration_s", 4)),
        service=Service(service_time_s=0.1, workers=3),
        admission=Admission(limit=12),
        retry=Retry(timeout_s=2),
        seed=seed,
    )


async def test_overload_keeps_every_promise(stack: Stack) -> None:
    """All lines ✓, the limit reached and never passed, throughput that of the workers."""
    overhead_s = (await stack.calibrate(3, fresh=True)).overhead_s
    seed = random.randrange(10**6)
    run = await play(stack, overload(seed))
    assert run.ledger.balanced, f"seed {seed}\n{run.ledger.table()}"
    assert np.max(run.attempts["depth_seen"]) == 12
    mean_s = np.nanmean(run.executions["finished_s"] - run.executions["started_s"])
    assert run.measures.throughput == pytest.approx(3 / (mean_s + overhead_s), rel=0.15)
    assert run.measures.utilization is not None
    assert run.measures.utilization > 0.9 * mean_s / (mean_s + overhead_s)
    again = Run.load(str(run.directory))
    assert again.source == "replay"
    assert again.ledger.counts == run.ledger.counts
    assert again.ledger.balanced


async def test_a_naive_limit_is_passed_and_an_exact_one_is_not(stack: Stack) -> None:
    """Looking and then pushing lets too many in when many come at once; the script does not.

    The gateway stands still during the spike and finds it all at once; so it races however slow the machine is.
    """
    seed = random.randrange(10**6)
    burst = Load(kind="spike", arrival_rate=1, spike_rate=300, spike_start_s=0.2, spike_length_s=0.3, duration_s=0.6)
    deepest = {}
    for policy in ("naive", "reject"):
        admission = Admission(policy=policy, limit=10)
        service = Service(service_time_s=0.05, workers=1)
        live = await stack.begin(Scenario(load=burst, service=service, admission=admission, seed=seed, drain_s=2))
        gateway = psutil.Process(stack.gateway.pid)
        gateway.suspend()
        while live.now() < 0.5:
            await asyncio.sleep(0.01)
        gateway.resume()
        run = await ended(live)
        deepest[policy] = int(np.max(run.attempts["depth_seen"]))
        assert run.ledger.invariants["limit"] is (policy == "reject")
    assert deepest["reject"] == 10
    assert deepest["naive"] > 10


async def test_knobs_act_while_it_runs_and_are_logged(stack: Stack) -> None:
    """Rate, limit, workers, service time and retry policy; a bad value changes nothing."""
    live = await stack.begin(overload(3, duration_s=30))
    await asyncio.sleep(0.7)
    with pytest.raises(ScenarioError):
        await live.steer(limit=0)
    await live.steer(limit=4, workers=1, arrival_rate=120)
    await live.steer(service_time_s=0.01, retry_policy="full", attempts=2)
    await asyncio.sleep(1.0)
    with contextlib.suppress(LoadGeneratorLagging):
        await live.stop()
    run = await ended(live)
    assert [s.knob for s in run.steering] == [
        "limit",
        "workers",
        "arrival_rate",
        "service_time_s",
        "retry_policy",
        "attempts",
    ]
    assert run.ledger.balanced, run.ledger.table()
    turned = {s.knob: s.t for s in run.steering}
    late = run.attempts[run.attempts["sent_s"] > turned["limit"] + 0.25]
    assert set(late["limit"]) == {4}
    first = run.attempts[run.attempts["attempt"] == 1]
    before = np.sum(first["sent_s"] < turned["arrival_rate"]) / turned["arrival_rate"]
    span = run.length_s - turned["arrival_rate"]
    after = np.sum(first["sent_s"] >= turned["arrival_rate"]) / span
    assert after > 1.4 * before
    assert np.max(run.attempts["attempt"]) == 2
    assert len(stack.workforce.names) == 1


async def test_stop_works_at_once_and_twice(stack: Stack) -> None:
    """An open-ended load ends when asked, with everything accounted."""
    scenario = overload(4).replace("admission.limit", None)
    live = await stack.begin(scenario, open_ended=True)
    await asyncio.sleep(1.0)
    with contextlib.suppress(LoadGeneratorLagging):
        await asyncio.wait_for(live.stop(), 5)
    run = await ended(live)
    assert live.over
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.counts["cancelled"] > 0


async def test_a_new_load_ends_the_one_before(stack: Stack) -> None:
    """Start pressed twice is one load."""
    first = await stack.begin(overload(5, duration_s=30))
    second = await stack.begin(overload(6, duration_s=0.5))
    assert first.over
    assert (await ended(second)).ledger.balanced


async def test_a_second_stack_of_the_same_name_replaces_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running the start cell five times leaves one stack."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stacks = [Stack("again") for _ in range(5)]
    for stack in stacks:
        await stack.start(1)
    assert len(running("demo_workers.services.gateway")) == 1
    assert [stack.started for stack in stacks] == [False] * 4 + [True]
    await stacks[-1].stop()
    await stacks[-1].stop()
    assert children() == []


async def test_a_stack_stopped_in_mid_run_says_so(stack: Stack) -> None:
    """Whoever waits for the load is told, and nothing hangs."""
    live = await stack.begin(overload(8, duration_s=30))
    await asyncio.sleep(0.3)
    await stack.stop()
    with pytest.raises(LabError, match="was stopped"):
        await live.finished()


def test_only_the_last_twenty_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older ones make room."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = [RunDirectory.create() for _ in range(KEEP + 3)]
    assert len(list(runs_directory().iterdir())) == KEEP
    assert made[-1].path.exists()


def test_an_output_directory_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    (tmp_path / "precious").write_text("x")
    with pytest.raises(ScenarioError, match="empty"):
        RunDirectory.create(tmp_path)


def test_a_run_that_does_not_exist_is_a_scenario_error() -> None:
    """With the place to look in."""
    with pytest.raises(ScenarioError, match="run directory"):
        Run.load("no-such-run")
