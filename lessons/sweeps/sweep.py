"""``sweep``: many scenarios, each with its replications, on as many workers as there are."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

from redis.exceptions import RedisError

from demo_workers.errors import RedisUnavailable
from demo_workers.scenario import Scenario
from lessons.sweeps import engine
from lessons.sweeps.job import answer_to
from lessons.sweeps.orders import Orders
from lessons.sweeps.plan import Gathering, Plan, Swept, expected_requests
from lessons.sweeps.room import Room
from lessons.twin import Overheads
from lessons.twin.progress import Progress, say_compiling

LOOK_S = 0.05
"""Seconds between two looks for answers."""
GRACE_S = 0.3
"""A job that is not wanted any more ends by itself within this if its replications are short; else its worker dies."""
LEAVE_S = 1.5
"""After this whoever is still at such a job is on another host, and ends it after its present replication."""
SETTLE_S = 20.0
"""So long it may take, on a machine with other things to do, to settle the jobs of workers that were killed."""


async def sweep(
    scenarios: Iterable[Scenario],
    replications: int = 20,
    *,
    overheads: Overheads | None = None,
    room: Room | None = None,
    workers: int | None = None,
    local: bool = False,
    progress: Progress | None = None,
    each: Callable[[Swept], object] | None = None,
    compiling: Progress = say_compiling,
) -> list[Swept]:
    """Play every scenario in the twin, and give for each what ``lessons.twin.replicate`` would, to the last bit.

    Cancelling it cancels the work: jobs that wait are taken back, those under way have ended within a second or two.
    A worker that dies at a job costs time, and no result: the job is given out again, at most three times. The death of
    one on another host is noticed when its job's time limit is over, which is two minutes and more.

    Args:
        scenarios: what to play.
        replications: of each.
        overheads: RQ's cost per job in the simulated system.
        room: where to do it; one is opened for this sweep unless given.
        workers: how many workers that room has, one per processor core unless given.
        local: do it here, one after the other, without Redis and workers.
        progress: hears how many replications are done, and of how many.
        each: hears of each scenario as soon as it is complete; in any order.
        compiling: hears how many of the twin's functions have been compiled, and of how many, where that must be done
            first: once per machine, for sweeps that are large enough.

    Returns:
        One ``Swept`` per scenario, in their order. A scenario that cannot be played has its ``error``; the others are
        played all the same.

    Raises:
        ScenarioError: too many scenarios or replications, or a number that is out of bounds.
        RedisUnavailable, WorkersNotReady: the room could not be opened, or has broken.
    """
    plan = Plan(scenarios=list(scenarios), replications=replications)
    if await asyncio.to_thread(engine.pays, sum(map(expected_requests, plan.scenarios)) * replications):
        plan = replace(plan, engine="compiled")
        if not engine.is_kept():
            # before any worker starts: they would all begin to compile
            await asyncio.to_thread(engine.have_compiled, compiling)
    gathering = Gathering(plan, progress, each)
    if local:
        await _here(plan, overheads, gathering)
    else:
        async with _opened(room, workers) as place:
            await _on_workers(plan, overheads, place, gathering)
    return gathering.swept


@asynccontextmanager
async def _opened(room: Room | None, workers: int | None) -> AsyncIterator[Room]:
    """The room given, which stays open, or one for this sweep alone."""
    if room is None:
        async with Room(workers) as place:
            yield place
    else:
        await room.start()
        yield room


async def _here(plan: Plan, overheads: Overheads | None, gathering: Gathering) -> None:
    stop = threading.Event()
    try:
        for number, piece in enumerate(plan.pieces):
            answer = await asyncio.to_thread(answer_to, piece, overheads, lambda: not stop.is_set())
            gathering.add(number, answer)
    finally:
        stop.set()  # the replication under way is the last one


async def _on_workers(plan: Plan, overheads: Overheads | None, room: Room, gathering: Gathering) -> None:
    orders = Orders(room.server.address, room.queue, plan.pieces, overheads)
    loop = asyncio.get_running_loop()
    # RQ blocks; one thread does one thing after the other, also when the waiting for it is cancelled
    thread = ThreadPoolExecutor(1, "sweep")
    try:
        while not gathering.whole:
            room.check()
            for number, answer in await loop.run_in_executor(thread, orders.look):
                gathering.add(number, answer)
            await asyncio.sleep(LOOK_S)
    except (RedisError, OSError) as error:
        room.check()
        raise RedisUnavailable(f"{room.server.name} does not answer ({error}). Start the sweep again.") from error
    finally:
        try:
            await asyncio.shield(_leave(orders, room, thread))
        finally:
            thread.shutdown(wait=False)


async def _leave(orders: Orders, room: Room, thread: ThreadPoolExecutor) -> None:
    """See to it that nobody works for this sweep any more, and that nothing of it is left."""
    loop = asyncio.get_running_loop()
    start, ours = time.monotonic(), False
    with contextlib.suppress(RedisError, OSError):
        await loop.run_in_executor(thread, orders.take_back)
        while not await loop.run_in_executor(thread, orders.clear):
            waited_s = time.monotonic() - start
            if waited_s > GRACE_S:
                ours = await room.free(orders.out)
            if waited_s > (SETTLE_S if ours else LEAVE_S):
                break
            await asyncio.sleep(LOOK_S)
        await loop.run_in_executor(thread, orders.close)
