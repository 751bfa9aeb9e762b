"""Every rule of the door on the whole system: the books stay right, also while it is changed."""

from __future__ import annotations

import asyncio
import contextlib
import random

import numpy as np
import pytest

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.events import Kind, Outcome, Result
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.live import ended, play

pytestmark = pytest.mark.live


def overload(policy: str, **more: float) -> Scenario:
    """Three times what two workers can do, limit 8; every third request is urgent."""
    return Scenario(
        load=Load(arrival_rate=120, duration_s=more.get("duration_s", 2.5), urgent_share=0.3),
        service=Service(service_time_s=0.05, workers=2),
        admission=Admission(policy=policy, limit=8),
        retry=Retry(timeout_s=1, attempts=3, base_s=0.05),
        seed=random.randrange(10**6),
    )


@pytest.mark.parametrize("policy", ["lifo", "drop_oldest", "priority", "adaptive", "adaptive+priority"])
async def test_under_every_policy_the_books_balance(stack: Stack, policy: str) -> None:
    """All lines ✓ in overload with retries; the limit is reached and never passed; who left for others is on record."""
    scenario = overload(policy)
    run = await play(stack, scenario)
    assert run.ledger.balanced, f"seed {scenario.seed}\n{run.ledger.table()}"
    admitted = run.attempts[run.attempts["outcome"] == Outcome.ADMITTED]
    assert np.max(admitted["depth_seen"]) == 8
    ends = run.rows(Kind.ENDED)
    displaced = int(np.sum((ends["code"] == Result.DROPPED) & (ends["actor"] == -1)))
    assert (displaced > 0) == (policy.split("+")[-1] in ("drop_oldest", "priority"))
    if policy == "drop_oldest":
        assert np.sum(run.attempts["outcome"] == Outcome.SHED) == 0


async def test_rules_may_change_while_it_runs(stack: Stack) -> None:
    """Policy, limit and tolerance, one after the other: each acts from when it is logged, and every line stays ✓."""
    live = await stack.begin(overload("reject", duration_s=30))
    for knobs in (
        {"admission_policy": "lifo"},
        {"admission_policy": "drop_oldest", "limit": 12},
        {"admission_policy": "priority", "limit": 5},
        {"admission_policy": "adaptive", "gradient_tolerance": 1.5, "limit": None},
        {"admission_policy": "drop_oldest", "limit": 3},
    ):
        await asyncio.sleep(0.8)
        await live.steer(**knobs)
    await asyncio.sleep(0.8)
    with contextlib.suppress(LoadGeneratorLagging):
        await live.stop()
    run = await ended(live)
    assert run.ledger.balanced, run.ledger.table()
    decided = run.rows(Kind.DECIDED)
    turned = [(s.t, s.value) for s in run.steering if s.knob == "limit"]
    for (since, limit), (until, _) in zip(turned, [*turned[1:], (np.inf, None)], strict=True):
        rows = decided[(decided["t"] > since) & (decided["t"] < until) & (decided["code"] < Outcome.THROTTLED)]
        assert len(rows) > 5
        assert limit is None or set(rows["limit"].tolist()) == {limit}
