"""The twin against the real system: the same tape and the same rules give about the same counts.

One run of a few seconds is noisy, and this machine may be busy: what is compared are counts that a rule makes, and the
tolerance is far below what a rule that was left out would change.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import LiveRun, Stack
from demo_workers.stack.calibration import overhead
from lessons.twin import Overheads, simulate
from tests.demo_workers.services.clients.bench import until
from tests.live import ended, play

pytestmark = [pytest.mark.live, pytest.mark.timed]

NEAR, FEW = 0.15, 4
"""How far apart two counts may be: a share of the larger one, and a few."""
COUNTS = ("attempts", "admitted", "duplicate", "shed", "throttled", "completed", "dropped", "requests_succeeded")

BUSY = Scenario(
    load=Load(kind="uniform", arrival_rate=40, duration_s=2.0, urgent_share=0.3, clients=4),
    service=Service(service_time_s=0.08, distribution="deterministic", workers=1),
    admission=Admission(limit=6),
    retry=Retry(policy="none"),
    drain_s=0.5,
)
"""More than three times what the one worker can do."""


@pytest.fixture
async def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    """A stack that records below the test's own directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stack = Stack("twin")
    yield stack
    await stack.stop()


def cost_of(run: Run) -> Overheads:
    """What its jobs cost on average in this very run: the machine may be busy."""
    found = overhead(run, quarters=1)
    return Overheads(before_s=found.overhead_before_s, stretch_s=found.stretch_s, after_s=found.overhead_after_s)


def apart(live: Run, twin: Run, near: float = NEAR) -> dict[str, tuple[int, int]]:
    """The counts that are too far apart."""
    pairs = {name: (live.ledger.counts[name], twin.ledger.counts[name]) for name in COUNTS}
    return {name: (a, b) for name, (a, b) in pairs.items() if abs(a - b) > FEW + near * max(a, b)}


async def compared(stack: Stack, scenario: Scenario) -> tuple[Run, Run]:
    """A scenario played by both, whose counts agree."""
    scenario = scenario.replace("seed", random.randrange(10**6))
    live = await play(stack, scenario)
    twin = simulate(live, overheads=cost_of(live))
    assert live.ledger.balanced, f"seed {scenario.seed}\n{live.ledger.table()}"
    assert twin.ledger.balanced
    assert apart(live, twin) == {}, f"{scenario.admission.policy}, seed {scenario.seed}"
    return live, twin


async def at(load: LiveRun, second: float) -> None:
    """Wait until a load is so far."""
    await until(lambda: load.now() > second, 20)


async def test_the_door_and_the_places_in_the_queue(stack: Stack) -> None:
    """The limit, LIFO, drop oldest and priority let in, refuse and drop as many, and the twin's are served in the same
    order: with LIFO the young ones succeed, with priority the urgent ones.
    """
    plain, _ = await compared(stack, BUSY)
    _, lifo = await compared(stack, BUSY.replace("admission.policy", "lifo"))
    _, oldest = await compared(stack, BUSY.replace("admission.policy", "drop_oldest"))
    _, urgent = await compared(stack, BUSY.replace("admission.policy", "priority"))
    assert oldest.ledger.counts["shed"] == 0
    assert min(oldest.ledger.counts["dropped"], urgent.ledger.counts["dropped"]) > FEW
    assert lifo.ledger.counts["dropped"] == 0
    assert apart(plain, oldest)  # the comparison can fail


async def test_what_workers_take_and_what_keys_join(stack: Stack) -> None:
    """Impatient clients: whose jobs are dropped when they have expired, by CoDel, and whose second attempts join."""
    wide = BUSY.replace("admission.limit", 100).replace("retry.timeout_s", 0.6)
    plain, _ = await compared(stack, wide)
    _, expired = await compared(stack, wide.replace("admission.policy", "drop_expired"))
    codel = wide.replace("admission.policy", "codel").replace("admission.codel_interval_s", 0.3)
    _, standing = await compared(stack, codel)
    assert min(expired.ledger.counts["dropped"], standing.ledger.counts["dropped"]) > FEW
    again = wide.replace("retry.policy", "fixed").replace("retry.attempts", 3).replace("retry.base_s", 0.2)
    _, joined = await compared(stack, again.replace("retry.idempotency_key", True))
    assert joined.ledger.counts["duplicate"] > FEW
    assert apart(plain, joined)


async def test_refusals_that_say_when_to_come_back(stack: Stack) -> None:
    """429 from each client's bucket, to one for each where nobody tries again; Retry-After is honoured alike."""
    # no token comes at the very moment of a request: a millisecond would decide there
    bucket = BUSY.replace("admission.client_rate", 3.0).replace("admission.client_burst", 2.0)
    live, twin = await compared(stack, bucket.replace("admission.limit", None))
    counts = [run.ledger.counts["throttled"] for run in (live, twin)]
    # whoever is late by less than half a token's time gains or loses one at most
    assert abs(counts[0] - counts[1]) <= BUSY.load.clients
    assert min(counts) > 20
    retry = BUSY.replace("retry.policy", "full").replace("retry.attempts", 4).replace("retry.base_s", 0.05)
    honest, obeyed = await compared(stack, retry)
    _, defied = await compared(stack, retry.replace("retry.honour_retry_after", False))
    for run in (honest, obeyed):
        waits = run.attempts["backoff_s"]
        assert np.nanmin(waits) > 0.05
    assert defied.ledger.counts["attempts"] > obeyed.ledger.counts["attempts"]


async def test_knobs_and_a_death_on_the_way(stack: Stack) -> None:
    """Workers come and go, one dies, the limit is lowered: the steering log of the live run, played by the twin, gives
    its counts.
    """
    scenario = BUSY.replace("load.duration_s", 3.2).replace("seed", random.randrange(10**6))
    load = await stack.begin(scenario)
    await at(load, 0.8)
    await load.steer(workers=3)
    await at(load, 1.6)
    stack.kill_worker()
    await at(load, 2.4)
    await load.steer(workers=1, limit=3)
    live = await ended(load)
    twin = simulate(live, overheads=cost_of(live))
    assert live.ledger.balanced, live.ledger.table()
    assert twin.ledger.balanced, twin.ledger.table()
    assert apart(live, twin, near=0.35) == {}  # how soon a new worker is at work depends on who else is
    assert twin.worker_deaths == live.worker_deaths
    assert all(len(set(run.executions["worker"].tolist()) - {-1}) > 1 for run in (live, twin))
