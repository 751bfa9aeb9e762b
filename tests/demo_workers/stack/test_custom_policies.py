"""Policies from a cell decide in the running system; their mistakes end the run and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from demo_workers.errors import PolicyError
from demo_workers.records.events import Kind, NoRetry, Outcome
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.cells import in_a_cell
from tests.live import ended, play

pytestmark = pytest.mark.live

BUSY = Scenario(
    load=Load(arrival_rate=80, duration_s=1.5),
    service=Service(service_time_s=0.05, workers=2),
    admission=Admission(limit=6),
    retry=Retry(attempts=4, timeout_s=1.0, base_s=0.05),
    drain_s=1.0,
)


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """A stack with two workers."""
    made = Stack("custom")
    await made.start(2)
    yield made
    await made.stop()


async def with_policies(stack: Stack, **written: Any) -> Run:
    """A run of BUSY with policies from a cell."""
    return await ended(await stack.begin(BUSY, **written))


async def test_next_try_says_when_and_whether(stack: Stack) -> None:
    """Every wait on the record is the one that the function named; where it gave up the record says so."""
    run = await with_policies(stack, next_try=in_a_cell("def f(x): return 0.125 if x.attempt < 3 else None"))
    waits = run.attempts["backoff_s"][~np.isnan(run.attempts["backoff_s"])]
    assert len(waits) > 10
    assert set(waits) == {0.125}
    assert np.max(run.attempts["attempt"]) == 3
    answered = run.rows(Kind.ANSWERED)
    assert NoRetry.CUSTOM in answered["actor"][answered["attempt"] == 3]
    assert run.ledger.balanced, run.ledger.table()
    assert run.manifest["written_policies"][0]["policy"] == "next_try"


async def test_admit_can_only_make_the_door_narrower(stack: Stack) -> None:
    """What it refuses is shed; what it lets through still meets the limit."""
    run = await with_policies(stack, admit=in_a_cell("def f(x): return x.depth < 3"))
    admitted = run.attempts[run.attempts["outcome"] == Outcome.ADMITTED]
    assert 0 < np.max(admitted["depth_seen"]) <= 6
    assert np.sum(run.attempts["outcome"] == Outcome.SHED) > 0
    assert run.ledger.balanced, run.ledger.table()
    wide_open = await with_policies(stack, admit=in_a_cell("def f(x): return True"))
    assert np.max(wide_open.attempts["depth_seen"]) == 6
    assert wide_open.ledger.invariants["limit"]


async def test_a_policy_is_swapped_while_it_runs(stack: Stack) -> None:
    """It acts at once, stands in the steering log, and another knob takes it out again."""
    live = await stack.begin(BUSY.replace("load.duration_s", 2.5).replace("retry.policy", "none"))
    await asyncio.sleep(0.8)
    swapped = live.now()
    await live.use(next_try=in_a_cell("def f(x): return 0.0625"))
    await asyncio.sleep(0.8)
    await live.steer(retry_policy="none")
    back = live.now()
    run = await ended(live)
    retried = run.attempts[~np.isnan(run.attempts["backoff_s"])]
    assert set(retried["backoff_s"]) == {0.0625}
    ends = run.rows(Kind.ANSWERED)
    ends = ends[~np.isnan(ends["value"])]["t"]
    assert np.min(ends) > swapped
    assert np.max(ends) < back + 0.25
    assert [entry.knob for entry in run.steering] == ["next_try", "retry_policy", "retry_policy"]


MISTAKES = {
    "1 / 0": r"raised ZeroDivisionError: division by zero\n.*<cell>.*line 5.*called with {argument}\(",
    "return 'soon'": r"returned 'soon': must be .*called with {argument}\(",
    "while True: pass": r"had not returned after .*<cell>.*line 5",
}
"""What a policy does wrong after a while, and what is said of it."""
FINE = {"next_try": ("0.05", "Failure"), "admit": ("True", "Door")}
"""What each answers before that, and what it is called with."""


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_in_mid_run_ends_the_run_and_not_the_system(stack: Stack, name: str, mistake: str) -> None:
    """Of a policy swapped in while it ran: PolicyError with the line, or the value and what it was called with; the
    record says so too. The next run on the same processes is whole.
    """
    answer, argument = FINE[name]
    text = f"n = []\ndef f(x):\n  n.append(1)\n  if len(n) > 30:\n    {mistake}\n  return {answer}"
    pids = (stack.gateway.pid, stack.clients.pid, stack.redis.pid)
    live = await stack.begin(BUSY.replace("load.duration_s", 30))
    await live.use(**{name: in_a_cell(text)})
    start = time.monotonic()
    says = MISTAKES[mistake].replace("{argument}", argument)
    with pytest.raises(PolicyError, match=f"(?s){name} {says}") as error:
        await live.finished()
    assert time.monotonic() - start < 20
    assert live.run is not None
    assert live.run.manifest["ended_by"] == str(error.value)
    assert name in [entry.knob for entry in live.run.steering]
    assert live.run.ledger.counts["pending"] == 0
    assert (stack.gateway.pid, stack.clients.pid, stack.redis.pid) == pids
    run = await play(stack, BUSY)
    assert run.ledger.balanced, run.ledger.table()


async def test_a_wrong_policy_changes_nothing(stack: Stack) -> None:
    """It is refused where it was brought, and the run goes on under the old one."""
    live = await stack.begin(BUSY)
    with pytest.raises(PolicyError, match="returned 'soon'"):
        await live.use(next_try=in_a_cell("def f(x): return 'soon'"))
    with pytest.raises(PolicyError, match="must come with a function"):
        await live.steer(retry_policy="custom")
    assert live.scenario == BUSY
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    with pytest.raises(PolicyError, match="must come with a function"):
        await stack.begin(BUSY.replace("admission.policy", "custom+lifo"))


@pytest.mark.faults
async def test_a_policy_that_hangs_for_good_costs_its_process_and_nothing_else(stack: Stack) -> None:
    """The error says so, and the next load begins anew by itself."""
    text = "n = []\ndef f(x):\n  n.append(1)\n  return 0.05 if len(n) < 30 else sum(range(10**13))"
    live = await stack.begin(BUSY.replace("load.duration_s", 30), next_try=in_a_cell(text))
    with pytest.raises(PolicyError, match="could not be interrupted"):
        await live.finished()
    run = await play(stack, BUSY)
    assert run.ledger.balanced, run.ledger.table()
