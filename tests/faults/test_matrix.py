"""Each fault at random moments: nothing acknowledged is unaccounted for, nothing is left, nothing hangs."""

from __future__ import annotations

import asyncio
import inspect
import random
from typing import Any

import pytest

from demo_workers.errors import GatewayUnavailable, LabError, LoadGeneratorLagging, RedisUnavailable, ScenarioError
from demo_workers.records.run import Run
from demo_workers.stack import LiveRun, Stack
from demo_workers.stack.faults import FAULTS, Fault
from tests.faults.test_parts_killed import load
from tests.processes import children, running

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(240)]

MOMENTS = 3
PAIRS = 4
LOAD_S = 0.8
HANG_S = 30.0
"""A run with such a load is over long before this, or it hangs."""

FATAL: dict[str, type[LabError]] = {
    "kill_gateway": GatewayUnavailable,
    "kill_redis": RedisUnavailable,
    "power_cut": RedisUnavailable,
}
ARGUMENTS = {"slow_network": (0.05,)}
MENDING = {"slow_network": (0,)}


async def do(stack: Stack, fault: str, *arguments: Any) -> None:
    """Call a fault; that there is nobody to harm just then, or that Redis has just been killed, is no failure."""
    try:
        found = getattr(stack, fault)(*arguments)
        if inspect.isawaitable(found):
            await found
    except ScenarioError:
        pass
    except RedisUnavailable:
        assert isinstance(stack.broken, RedisUnavailable) or stack.redis.pid is None


async def struck(stack: Stack, dice: random.Random, *faults: Fault) -> tuple[Run, LabError | None]:
    """A run with faults at random moments of load and drain, perhaps mended again, and the error it ended with."""
    scenario = load(dice.randrange(10**6), duration_s=LOAD_S).replace("drain_s", 1.0)
    if any(fault.method == "kill_horse" for fault in faults) or dice.random() < 0.2:
        scenario = scenario.replace("service.worker_class", "fork")
    live = await stack.begin(scenario)
    for fault in faults:
        await asyncio.sleep(dice.uniform(0, (LOAD_S + 0.3) / len(faults)))  # a moment, not a wait: any will do
        if not live.over:
            await do(stack, fault.method, *ARGUMENTS.get(fault.method, ()))
    mended = next((fault for fault in faults if fault.mended_by), None)
    if mended is not None and dice.random() < 0.5 and not live.over:
        await asyncio.sleep(dice.uniform(0, 0.4))
        await do(stack, mended.mended_by, *MENDING.get(mended.method, ()))
    error = await end(live)
    assert live.run is not None
    return live.run, error


async def end(live: LiveRun) -> LabError | None:
    """Wait for the run's end, within a deadline."""
    try:
        async with asyncio.timeout(HANG_S):
            await live.finished()
    except LoadGeneratorLagging:
        return None  # the machine was busy; the books must balance all the same
    except LabError as error:
        return error
    return None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.method)
async def test_whatever_the_moment_the_books_balance(stack: Stack, fault: Fault) -> None:
    """Three moments for each fault, others every time; only a fatal one ends the run, and with its own error."""
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    for moment in range(MOMENTS):
        run, error = await struck(stack, dice, fault)
        check(run, error, f"{fault.method}, seed {seed}, moment {moment}", fault)
    await stack.stop()
    assert children() == [], f"{fault.method}, seed {seed}"


async def test_two_faults_at_once_are_no_more_than_two_faults(stack: Stack) -> None:
    """A frozen worker in a full Redis, a gateway killed behind a slow network: some pairs, others every time."""
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    mild = [fault for fault in FAULTS if fault.mended_by]
    for _ in range(PAIRS):
        first, second = dice.choice(mild), dice.choice(FAULTS)
        run, error = await struck(stack, dice, first, second)
        check(run, error, f"{first.method} and {second.method}, seed {seed}", first, second)
    await stack.stop()
    assert children() == [], f"seed {seed}"


def check(run: Run, error: LabError | None, where: str, *faults: Fault) -> None:
    """The books balance, nothing is open, and only a fatal fault has ended the run, with its own error."""
    told = f"{where}: {error}\n{run.ledger.table()}\n{run.steering}"
    fatal = tuple(FATAL[fault.method] for fault in faults if fault.method in FATAL)
    assert run.ledger.balanced, told
    assert run.ledger.counts["pending"] == 0, told
    assert error is None or isinstance(error, fatal), told
    assert not run.ended_by or fatal, told


async def test_a_worker_killed_before_it_has_registered_costs_nothing(stack: Stack) -> None:
    """Its place is filled again and the load finds all the workers it asked for."""
    beginning = asyncio.create_task(stack.begin(load(1, duration_s=LOAD_S)))
    while not (workers := running("demo_workers.queueing.worker")):
        assert not beginning.done()
        await asyncio.sleep(0.005)
    workers[0].kill()
    live = await beginning
    assert await end(live) is None
    assert live.run is not None
    assert live.run.ledger.balanced, live.run.ledger.table()
    assert len(stack.workforce.names) == 2
