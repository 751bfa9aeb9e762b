"""Dead workers are replaced at once; those that fail again and again by themselves, ever more slowly."""

from __future__ import annotations

import asyncio
import signal
import time

import psutil
import pytest

from demo_workers.stack import Stack, workforce
from demo_workers.stack.workforce import PAUSE_BASE_S
from tests.processes import alive

AGES_S = 60.0
"""No start and no test takes so long, however slow the machine."""

pytestmark = pytest.mark.live


async def successor_s(stack: Stack, number: signal.Signals) -> float:
    """End the only worker by a signal; returns the seconds until another one has come: never less than its pause."""
    (pid,) = stack.workforce.pids
    process, began = psutil.Process(pid), time.monotonic()
    process.send_signal(number)
    async with asyncio.timeout(AGES_S / 2):
        while alive(process):
            await asyncio.sleep(0.005)
        while not [one for one in stack.workforce.pids if one != pid]:
            await asyncio.sleep(0.005)
    return time.monotonic() - began


async def ready(stack: Stack) -> None:
    """Wait until the newest worker waits for jobs. It registers sooner, when a signal would still kill it."""
    async with asyncio.timeout(AGES_S / 2):
        while await stack.connection.hget(f"rq:worker:{stack.workforce.names[0]}", "state") != b"idle":
            await asyncio.sleep(0.01)


async def test_a_worker_that_leaves_unasked_again_and_again_is_replaced_ever_more_slowly(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No storm of processes: the fourth young failure in a row waits eight times the base at least."""
    monkeypatch.setattr(workforce, "YOUNG_S", AGES_S)  # each of them is young, also on a slow machine
    await stack.start(1)
    pauses = []
    for _ in range(4):
        await ready(stack)
        pauses.append(await successor_s(stack, signal.SIGTERM))
    assert pauses[3] >= 8 * PAUSE_BASE_S
    assert stack.broken is None
    await ready(stack)


async def test_a_killed_worker_is_replaced_without_a_pause(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often: it was not its own mistake. Any pause would be one that nobody waits for."""
    for name in ("YOUNG_S", "PAUSE_BASE_S", "PAUSE_CAP_S"):
        monkeypatch.setattr(workforce, name, AGES_S)
    await stack.start(1)
    for _ in range(4):
        await ready(stack)
        assert await successor_s(stack, signal.SIGKILL) < AGES_S
