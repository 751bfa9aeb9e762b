"""Real SIGKILLs at random moments: nothing acknowledged goes unaccounted, and Start works again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import numpy as np
import psutil
import pytest

from demo_workers.errors import GatewayUnavailable, LabError, RedisUnavailable
from demo_workers.records.events import Kind, Result
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import LiveRun, Stack
from tests.live import ended, play
from tests.patience import patience
from tests.processes import children_of

pytestmark = pytest.mark.faults


def load(seed: int, duration_s: float = 4.0, service_s: float = 0.03) -> Scenario:
    """More than two workers can do, with a limit and retries."""
    return Scenario(
        load=Load(arrival_rate=70, duration_s=duration_s),
        service=Service(service_time_s=service_s, workers=2),
        admission=Admission(limit=10),
        retry=Retry(policy="full", attempts=3, base_s=0.1, timeout_s=2),
        seed=seed,
        drain_s=3,
    )


async def until_busy(live: LiveRun) -> None:
    """Wait for the first executions."""
    deadline = time.monotonic() + 30
    while not (live.poll()["kind"] == Kind.STARTED).any():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", ["simple", "fork"])
@pytest.mark.parametrize("seed", [random.randrange(10**6) for _ in range(2)], ids=lambda s: "random")
async def test_killed_workers_are_replaced_and_their_jobs_accounted(stack: Stack, seed: int, kind: str) -> None:
    """Five SIGKILLs at random moments: popped, running, or after the function's return; of either class."""
    live = await stack.begin(load(seed).replace("service.worker_class", kind))
    await until_busy(live)
    moments = random.Random(seed)
    for _ in range(5):
        await asyncio.sleep(moments.uniform(0.05, 0.4))
        if stack.workforce.names:
            stack.kill_worker()
    run = await ended(live)
    assert run.ledger.balanced, f"seed {seed}\n{run.ledger.table()}"
    assert run.worker_deaths >= 4
    assert run.ledger.counts["pending"] == 0
    assert len(stack.workforce.names) == 2
    late = run.executions[run.executions["started_s"] > live.scenario.load.duration_s - 0.5]
    assert len(late) > 0, "the successors work"


@pytest.mark.parametrize("seed", [random.randrange(10**6) for _ in range(2)], ids=lambda s: "random")
async def test_killed_work_horses_are_logged_and_their_jobs_accounted(stack: Stack, seed: int) -> None:
    """Eight SIGKILLs at random moments, from outside: each death is in the steering log, and the books balance."""
    live = await stack.begin(load(seed).replace("service.worker_class", "fork"))
    await until_busy(live)
    moments = random.Random(seed)
    for _ in range(8):
        await asyncio.sleep(moments.uniform(0.02, 0.3))  # a moment, not a wait: any will do
        for horse in [horse for pid in stack.workforce.pids for horse in children_of(pid)][:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                horse.kill()
    run = await ended(live)
    assert run.ledger.balanced, f"seed {seed}\n{run.ledger.table()}"
    deaths = [entry for entry in run.steering if entry.knob == "horse_died"]
    assert len(deaths) >= 3
    assert run.worker_deaths == len(deaths)
    assert np.sum(run.executions["result"] == Result.FAILED) <= len(deaths)


async def accounted(live: LiveRun, error: type[LabError], killed_at: float) -> Run:
    """The load must end with this error within two seconds, and balance."""
    with pytest.raises(error) as caught:
        await live.finished()
    assert time.monotonic() - killed_at < patience(2)
    assert "Start" in str(caught.value)
    assert live.run is not None
    assert live.run.ended_by
    assert live.run.ledger.counts["pending"] == 0
    assert live.run.ledger.balanced, live.run.ledger.table()
    return live.run


async def test_a_killed_gateway_is_told_within_two_seconds_and_start_works_again(stack: Stack) -> None:
    """A clear error, a ledger that counts the unanswered as lost, and a new load afterwards."""
    live = await stack.begin(load(1, duration_s=20))
    await until_busy(live)
    killed_at = time.monotonic()
    stack.kill_gateway()
    run = await accounted(live, GatewayUnavailable, killed_at)
    assert run.ledger.counts["lost"] > 0
    assert (await play(stack, load(2, duration_s=1))).ledger.balanced


async def test_a_killed_redis_is_told_within_two_seconds_and_start_works_again(stack: Stack) -> None:
    """The same for Redis."""
    live = await stack.begin(load(3, duration_s=20))
    await until_busy(live)
    killed_at = time.monotonic()
    stack.kill_redis()
    await accounted(live, RedisUnavailable, killed_at)
    assert (await play(stack, load(4, duration_s=1))).ledger.balanced


async def test_killed_clients_are_told_and_start_works_again(stack: Stack) -> None:
    """A load without its generator is over."""
    live = await stack.begin(load(5, duration_s=20))
    await until_busy(live)
    stack.clients.kill()
    with pytest.raises(LabError, match="clients"):
        await live.finished()
    assert (await play(stack, load(6, duration_s=1))).ledger.balanced


async def test_a_job_longer_than_patience_ends_with_its_worker(stack: Stack) -> None:
    """A run ends promptly though a job would go on for a minute; the job is accounted as lost."""
    scenario = load(7, duration_s=0.5, service_s=0.01).replace("load.arrival_rate", 4)
    scenario = scenario.replace("service.service_time_s", 20).replace("service.distribution", "deterministic")
    live = await stack.begin(scenario.replace("drain_s", 0.2))
    start = time.monotonic()
    run = await ended(live)
    assert time.monotonic() - start < patience(8)
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.counts["lost"] > 0
