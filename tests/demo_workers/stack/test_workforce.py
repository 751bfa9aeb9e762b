"""Workers come and go while a load runs, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.events import Kind, Result
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import LiveRun, Stack
from tests.live import ended
from tests.processes import alive, running

WORKER = "demo_workers.queueing.worker"

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def busy(kind: str = "simple", *, workers: int = 2, service_time_s: float = 0.02, duration_s: float = 4) -> Scenario:
    """More than a few workers can do, with a limit."""
    return Scenario(
        load=Load(arrival_rate=60, duration_s=duration_s),
        service=Service(service_time_s=service_time_s, workers=workers, worker_class=kind),  # type: ignore[arg-type]
        admission=Admission(limit=30),
        retry=Retry(timeout_s=5),
        seed=random.randrange(10**6),
    )


async def until(condition: Callable[[], bool], deadline_s: float = 10.0, what: str = "the condition") -> None:
    """Wait for a condition, or fail at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.01)


async def begun(stack: Stack, scenario: Scenario, *, open_ended: bool = False) -> LiveRun:
    """A load that has workers at work."""
    live = await stack.begin(scenario, open_ended=open_ended)
    rows = [live.poll()]
    await until(lambda: bool((_more(rows, live)["kind"] == Kind.STARTED).any()), what="the first execution")
    return live


def _more(rows: list[np.ndarray], live: LiveRun) -> np.ndarray:  # type: ignore[type-arg]  # of events
    rows.append(live.poll())
    return np.concatenate(rows)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["simple", "fork"])
async def test_however_the_knob_is_turned_nothing_is_lost(stack: Stack, kind: str) -> None:
    """Twelve random numbers of workers at random moments: no job is done twice or lost; the last number is left."""
    scenario = busy(kind)
    live = await begun(stack, scenario, open_ended=True)
    dice = random.Random(scenario.seed)
    for _ in range(12):
        await live.steer(workers=dice.randint(0, 5))
        await asyncio.sleep(dice.uniform(0, 0.5))  # a moment, not a wait: any will do
    await live.steer(workers=3)
    with contextlib.suppress(LoadGeneratorLagging):
        await live.stop()
    run = await ended(live)
    assert run.ledger.balanced, f"seed {scenario.seed}\n{run.ledger.table()}"
    counts = run.ledger.counts
    assert (counts["lost"], counts["failed"], run.worker_deaths) == (0, 0, 0)
    assert counts["executions"] == counts["completed"], "nothing ran twice"
    assert len(stack.workforce.names) == 3
    await until(lambda: len(running(WORKER)) == 3, what="the others have gone")


async def test_who_is_let_go_finishes_the_job_in_hand(stack: Stack) -> None:
    """Down to none in the middle of long jobs: they are done, no new one begins, the rest waits."""
    live = await begun(stack, busy(service_time_s=0.5, duration_s=2))
    await live.steer(workers=0)
    assert stack.workforce.names == []
    t = live.now()
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    late = run.executions[run.executions["started_s"] > t + 0.1]
    assert len(late) == 0
    assert run.ledger.counts["cancelled"] > 0
    assert np.sum(run.executions["finished_s"] > t) > 0


async def test_who_is_killed_at_the_last_job_is_accounted_for(stack: Stack) -> None:
    """Told to leave, at a long job, and killed: the job is lost, its slot is free, and nobody takes the place."""
    live = await begun(
        stack, busy(workers=1, service_time_s=20, duration_s=1).replace("service.distribution", "deterministic")
    )
    await live.steer(workers=0)
    (name,) = stack.workforce.everyone
    stack.workforce.kill(name)
    await until(lambda: stack.workforce.everyone == [])
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    assert run.worker_deaths == 1
    assert run.ledger.counts["lost"] == 1


async def test_a_run_ends_though_somebody_who_leaves_has_a_long_job(stack: Stack) -> None:
    """The last job of a worker that was let go is ended with the run, like any other."""
    live = await begun(stack, busy(workers=1, service_time_s=50, duration_s=0.5).replace("drain_s", 0.2))
    await live.steer(workers=0)
    run = await asyncio.wait_for(ended(live), 20)
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.counts["pending"] == 0


async def test_stop_ends_those_too_who_are_leaving(stack: Stack) -> None:
    """At a job of a minute, told to leave: gone with the stack."""
    live = await begun(stack, busy(workers=2, service_time_s=50, duration_s=20))
    await live.steer(workers=0)
    left = running(WORKER)
    assert len(left) == 2
    await stack.stop()
    assert not any(alive(worker) for worker in left)


async def test_another_class_or_timing_replaces_the_workers(stack: Stack) -> None:
    """Between two runs; the same class again keeps them."""
    seen = []
    for kind, timings in (("simple", "classroom"), ("simple", "classroom"), ("fork", "classroom"), ("fork", "default")):
        scenario = busy(kind, duration_s=0.5).replace("service.timings", timings)
        run = await ended(await stack.begin(scenario))
        assert run.ledger.balanced, run.ledger.table()
        assert run.ledger.counts["completed"] > 0
        workers = set(run.executions["worker"][run.executions["result"] == Result.OK].tolist())
        seen.append(workers)
        assert len(stack.workforce.names) == 2
        assert len(running(WORKER)) == 2
    assert seen[0] & seen[1]
    assert not seen[1] & seen[2]
    assert not seen[2] & seen[3]


async def test_a_place_is_filled_whoever_made_it_empty(stack: Stack) -> None:
    """A worker killed from outside in mid-run has a successor."""
    live = await begun(stack, busy())
    victim = stack.workforce.pids[0]
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in stack.workforce.pids and len(stack.workforce.pids) == 2)
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
