"""The whole system under clients who wait for their answers."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import pytest

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.demo_workers.services.clients.bench import until
from tests.live import ended

pytestmark = pytest.mark.live


def closed(clients: int, think_time_s: float, duration_s: float = 3.0) -> Scenario:
    """Two workers, 50 ms of work each time, a limit that closes the door now and then."""
    return Scenario(
        load=Load(kind="closed", clients=clients, think_time_s=think_time_s, duration_s=duration_s),
        service=Service(workers=2),
        admission=Admission(limit=6),
        retry=Retry(attempts=3, timeout_s=2),
        seed=random.randrange(10**6),
    )


async def test_the_books_balance_and_nobody_is_in_twice(stack: Stack) -> None:
    """All lines ✓; each client has one request at a time; a shorter think time, steered, brings more of them."""
    live = await stack.begin(closed(10, 0.5))
    await until(lambda: live.now() > 1.5, 20)
    await live.steer(think_time_s=0.01)
    run = await ended(live)
    assert run.ledger.balanced, f"seed {run.scenario.seed}\n{run.ledger.table()}"
    assert np.max(run.attempts["depth_seen"]) <= 6
    turned_s = next(entry.t for entry in run.steering if entry.knob == "think_time_s")
    begun = run.attempts[run.attempts["attempt"] == 1]
    before, after = (begun["due_s"] <= turned_s).sum() / turned_s, (begun["due_s"] > turned_s).sum() / (3 - turned_s)
    assert after > before
    for client in range(10):
        mine = begun[begun["client"] == client]
        assert mine["request"].tolist() == list(range(client, client + 10 * len(mine), 10))


async def test_clients_that_cannot_keep_their_schedule_void_the_run(stack: Stack) -> None:
    """Stopped for a while in mid-run, the clients are late, and the run says that it measured them."""
    live = await stack.begin(closed(40, 0.2, 1.5))
    await until(lambda: live.now() > 0.5, 20)
    assert stack.clients.pid is not None
    os.kill(stack.clients.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    await until(lambda: time.monotonic() > stopped + 0.2)
    os.kill(stack.clients.pid, signal.SIGCONT)
    with pytest.raises(LoadGeneratorLagging, match="lateness_p99_s"):
        await live.finished()
    assert live.run is not None
    assert not live.run.valid
