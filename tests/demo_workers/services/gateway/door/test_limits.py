from __future__ import annotations

import asyncio

import numpy as np
import pytest

from demo_workers.records.events import Kind, Outcome
from demo_workers.scenario import Admission
from demo_workers.services.gateway.door.limits import Limits
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import ask

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


def fed(limits: Limits, jobs: int, depth: int) -> list[int]:
    """The limit after each of many jobs that took no time, with so many inside."""
    found = []
    for n in range(jobs):
        limits.came(str(n))
        limits.finished(str(n), depth)
        found.append(limits.in_force or 0)
    return found


async def test_without_adaptive_the_limit_is_the_scenarios() -> None:
    """However long jobs take; steering changes it at once."""
    limits = Limits(Admission(limit=9))
    assert set(fed(limits, 50, 9)) == {9}
    limits.steer(Admission(limit=4))
    assert limits.in_force == 4
    limits.steer(Admission())
    assert limits.in_force is None


async def test_an_adaptive_limit_grows_while_it_is_used_and_never_past_the_scenarios() -> None:
    """Jobs as quick as ever with many inside: up, up to the scenario's limit."""
    found = fed(Limits(Admission(policy="adaptive", limit=60)), 3000, 60)
    assert found[0] < found[-1] == 60
    assert max(found) == 60


async def test_what_was_learnt_outlives_steering_but_not_its_run() -> None:
    """Another tolerance goes on from the present limit; a new run begins afresh."""
    limits = Limits(Admission(policy="adaptive"))
    first = limits.in_force
    learnt = fed(limits, 500, 100)[-1]
    limits.steer(Admission(policy="adaptive", gradient_tolerance=3.0))
    assert limits.in_force == learnt
    assert Limits(Admission(policy="adaptive")).in_force == first


async def test_the_adaptive_limit_is_in_force_and_on_record(system: System) -> None:
    """It moves; each decision's row has the one it was made with; /healthz shows it; nobody passes it."""
    await system.begin(policy="adaptive", limit=100)
    waves = 12
    for wave in range(waves):
        names = (f"{wave * 50 + n}.1" for n in range(50))
        await asyncio.gather(*(system.post(0.002, workbook_attempt=name, prefer="wait=9") for name in names))
    shown = (await ask(system.url, "GET", "/healthz")).body["limit"]
    await system.drained()
    await system.gateway.call("end")
    rows = system.rows(Kind.DECIDED)
    assert len(rows) == 50 * waves
    assert len(np.unique(rows["limit"])) > 1
    assert 1 <= shown <= 100
    admitted = rows[rows["code"] == Outcome.ADMITTED]
    assert np.all(admitted["depth"] <= admitted["limit"])
