"""Dead workers are replaced at once; those that fail again and again by themselves, ever more slowly."""

from __future__ import annotations

import asyncio
import signal
import time

import psutil
import pytest

from demo_workers.stack import Stack
from demo_workers.stack.workforce import PAUSE_BASE_S
from tests.processes import alive

SETTLE_S = 0.5
"""What it takes to see that a dead worker has left no job behind, on a busy machine."""

pytestmark = pytest.mark.live


async def successor_s(stack: Stack, number: signal.Signals) -> float:
    """End the only worker by a signal; returns the seconds until another one has come."""
    (pid,) = stack.workforce.pids
    process = psutil.Process(pid)
    process.send_signal(number)
    async with asyncio.timeout(20):
        while alive(process):
            await asyncio.sleep(0.005)
        ended = time.monotonic()
        while not [one for one in stack.workforce.pids if one != pid]:
            await asyncio.sleep(0.005)
    return time.monotonic() - ended


async def ready(stack: Stack) -> None:
    """Wait until the newest worker listens."""
    async with asyncio.timeout(20):
        while not await stack.connection.exists(f"rq:worker:{stack.workforce.names[0]}"):
            await asyncio.sleep(0.01)


async def test_a_worker_that_leaves_unasked_again_and_again_is_replaced_ever_more_slowly(stack: Stack) -> None:
    """No storm of processes: the fourth young failure in a row waits eight times the base at least."""
    await stack.start(1)
    pauses = []
    for _ in range(4):
        await ready(stack)
        pauses.append(await successor_s(stack, signal.SIGTERM))
    assert pauses[3] >= 8 * PAUSE_BASE_S
    assert stack.broken is None
    await ready(stack)


async def test_a_killed_worker_is_replaced_without_a_pause(stack: Stack) -> None:
    """However often: it was not its own mistake."""
    await stack.start(1)
    pauses = []
    for _ in range(4):
        await ready(stack)
        pauses.append(await successor_s(stack, signal.SIGKILL))
    assert min(pauses[1:]) < PAUSE_BASE_S + SETTLE_S
