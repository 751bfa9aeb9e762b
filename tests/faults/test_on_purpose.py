"""Each fault on purpose: real, in the steering log, in the ledger, and over when the run is."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from demo_workers.errors import LabError, LoadGeneratorLagging, RedisUnavailable, ScenarioError
from demo_workers.records.events import ClientOutcome, Kind, Outcome
from demo_workers.records.run import Run
from demo_workers.services.faults.power_cut import Survived
from demo_workers.stack import LiveRun, Stack
from demo_workers.stack.faults import FAULTS
from tests.demo_workers.services.processes import lives
from tests.faults.test_parts_killed import load, until_busy
from tests.live import ended, play

pytestmark = pytest.mark.faults


async def condition(holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def seen(live: LiveRun, kind: Kind, wanted: int) -> None:
    """Wait until so many more rows of a kind are on record, from now on."""
    deadline = time.monotonic() + 60
    live.poll()
    while wanted > 0:
        assert time.monotonic() < deadline
        wanted -= int(np.sum(live.poll()["kind"] == kind))
        await asyncio.sleep(0.01)


async def stopped(live: LiveRun) -> Run:
    """The run of a load that is ended now."""
    with contextlib.suppress(LoadGeneratorLagging):
        await live.stop()
    return await ended(live)


async def busy(stack: Stack, duration_s: float = 3.0) -> LiveRun:
    """A load that is under way."""
    live = await stack.begin(load(random.randrange(10**6), duration_s=duration_s))
    await until_busy(live)
    return live


async def test_a_frozen_worker_finishes_nothing_and_goes_on_when_thawed(stack: Stack) -> None:
    """The other one works on meanwhile; the job in its hands ends after the thaw."""
    live = await busy(stack, 30)
    name = await stack.freeze_worker()
    pid = stack.workforce.pid(name)
    await condition(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    await seen(live, Kind.ENDED, 10)
    assert await stack.thaw_worker() == name
    await seen(live, Kind.ENDED, 10)
    run = await stopped(live)
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.invariants["fault_frozen"]
    assert run.worker_deaths == 0
    with pytest.raises(ScenarioError, match="Freeze one first"):
        await stack.thaw_worker()


async def test_what_a_frozen_worker_finishes_after_it_was_given_up_is_on_the_books(stack: Stack) -> None:
    """The others take it for dead within seconds and fail its job; thawed, its work horse finishes it all the same."""
    scenario = load(random.randrange(10**6), duration_s=60, service_s=0.5).replace("service.worker_class", "fork")
    scenario = scenario.replace("load.arrival_rate", 5).replace("service.distribution", "deterministic")
    live = await stack.begin(scenario)
    failed = f"rq:failed:{stack.queue}"
    while not await stack.connection.zcard(failed):
        # one that was between two jobs has nothing to be given up
        await condition(lambda: bool(psutil.Process(stack.workforce.pids[0]).children()))
        await stack.freeze_worker()
        deadline = time.monotonic() + 8
        while not await stack.connection.zcard(failed) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await stack.thaw_worker()
    live.poll()
    await seen(live, Kind.ENDED, 5)
    run = await stopped(live)
    assert run.ledger.balanced, run.ledger.table()
    assert "1 jobs" in next(line.numbers for line in run.ledger.lines if line.name == "late")


async def test_a_worker_left_frozen_is_killed_at_the_end_of_the_run(stack: Stack) -> None:
    """The run ends promptly, its job is counted as lost, and its place is taken."""
    live = await busy(stack, 1.5)
    name = await stack.freeze_worker()
    pid = stack.workforce.pid(name)
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    assert run.worker_deaths == 1
    assert not lives(pid)
    assert (await play(stack, load(1, duration_s=1))).ledger.balanced


async def test_a_slow_network_delays_every_answer_and_is_taken_out_again(stack: Stack) -> None:
    """No answer sooner than both ways take while it is slow, and sooner ones before and after."""
    live = await busy(stack, 30)
    await seen(live, Kind.ANSWERED, 20)
    await stack.slow_network(0.2)
    await seen(live, Kind.ANSWERED, 100)
    await stack.slow_network(0)
    await seen(live, Kind.ANSWERED, 60)
    run = await stopped(live)
    assert run.ledger.balanced, run.ledger.table()
    on, off = (entry.t for entry in run.steering if entry.knob == "slow_network")
    rows = run.attempts[run.attempts["client_outcome"] != ClientOutcome.TIMED_OUT]
    took = rows["answered_s"] - rows["sent_s"]
    slow = took[(rows["sent_s"] > on + 0.1) & (rows["answered_s"] < off)]
    assert len(slow) > 5
    assert np.min(slow) >= 0.4
    assert np.nanmin(took[rows["answered_s"] < on]) < 0.4
    assert np.nanmin(took[rows["sent_s"] > off + 0.1]) < 0.4
    with pytest.raises(ScenarioError, match="latency_s"):
        await stack.slow_network(-1)


async def test_a_full_memory_refuses_everybody_until_it_is_freed(stack: Stack) -> None:
    """Nobody is let in, workers die of it and come back, every acknowledged job is on the books."""
    live = await busy(stack, 30)
    limit = await stack.fill_memory()
    await seen(live, Kind.ANSWERED, 60)
    assert await stack.fill_memory() == limit, "twice is no more than once"
    await stack.free_memory()
    freed = live.now()
    await seen(live, Kind.ENDED, 20)
    run = await stopped(live)
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.invariants["fault_memory"]
    assert np.sum(run.attempts["outcome"] == Outcome.ERRORED) > 10
    admitted = run.attempts["admitted_s"]
    assert np.sum(admitted > freed) > 10, "afterwards jobs come in again"
    assert np.sum(run.executions["finished_s"] > freed) > 10, "and are done"
    assert len(stack.workforce.names) == 2


async def test_a_memory_left_full_is_freed_at_the_end_of_the_run(stack: Stack) -> None:
    """The run ends, its books balance, and the next one is whole."""
    live = await busy(stack, 1.0)
    await stack.fill_memory()
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    assert (await play(stack, load(2, duration_s=1))).ledger.balanced


async def test_a_power_cut_leaves_nothing_of_a_server_without_persistence(stack: Stack) -> None:
    """The run ends with an error, and the log says what is on disk."""
    live = await busy(stack, 20)
    survived = await stack.power_cut()
    assert survived == Survived(persistence="none", method="nothing", written=0, bytes=0)
    with pytest.raises(RedisUnavailable):
        await live.finished()
    assert live.run is not None
    assert live.run.ledger.balanced, live.run.ledger.table()
    assert live.run.ledger.invariants["fault_fatal"]


async def test_a_fault_that_cannot_be_done_says_why(stack: Stack) -> None:
    """Name, value, bound, remedy; nothing is harmed."""
    live = await busy(stack, 1.0)
    with pytest.raises(ScenarioError, match="worker_class"):
        stack.kill_horse()
    assert (await ended(live)).ledger.balanced
    await stack.workforce.resize(0)
    await condition(lambda: not stack.workforce.names)
    with pytest.raises(ScenarioError, match=r"service\.workers"):
        await stack.freeze_worker()


async def test_a_server_of_others_is_never_harmed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault of Redis refuses a server that the workbook did not start."""
    await stack.start(0)
    url = f"unix://:{stack.redis.address['password']}@{stack.redis.address['unix_socket_path']}"
    guest = Stack("guest", environ={"WORKBOOK_REDIS_URL": url, "PATH": ""})
    await guest.start(0)
    try:
        for harm in (guest.fill_memory, guest.power_cut):
            with pytest.raises(LabError, match="must be one that the workbook started"):
                await harm()
        with pytest.raises(LabError, match="must be one that the workbook started"):
            guest.kill_redis()
        assert await stack.connection.ping()
    finally:
        await guest.stop()


def test_the_table_of_faults_names_every_one() -> None:
    """Each is a verb of the stack, and says what to expect."""
    for fault in FAULTS:
        assert callable(getattr(Stack, fault.method))
        assert fault.does
        assert fault.expect
        assert not fault.mended_by or callable(getattr(Stack, fault.mended_by))
