"""Sweeps give what a loop in the twin gives, whatever happens to those who do them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from demo_workers.errors import RedisUnavailable
from demo_workers.queueing import dead_workers
from demo_workers.scenario import Load, Scenario
from demo_workers.services.servers.redis_server import RedisServer
from lessons.sweeps import engine
from lessons.sweeps.plan import Swept
from lessons.sweeps.room import Room
from lessons.sweeps.sweep import sweep
from lessons.twin import replicate
from tests.lessons.sweeps.scenarios import OVERHEADS, broken, keys, long, some
from tests.patience import patience

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    """Two workers on a server of their own."""
    async with Room(2) as room:
        yield room
        assert await jobs_left(room) == set()


async def jobs_left(room: Room) -> set[str]:
    """What is on a room's server that has to do with a job."""
    of_workers = ("rq:worker", "rq:queues")
    return {key for key in await keys(room.server.address) if not key.startswith(of_workers)}


def looped(scenarios: list[Scenario], replications: int) -> list[Swept]:
    """The same as a plain loop."""
    return [
        Swept(scenario=scenario, replications=replicate(scenario, replications, overheads=OVERHEADS))
        for scenario in scenarios
    ]


async def test_workers_a_local_loop_and_the_twin_agree_to_the_last_bit(room: Room) -> None:
    """Measures, seeds and invariants of random scenarios."""
    scenarios = some(6)
    expected = looped(scenarios, 4)
    assert await sweep(scenarios, 4, overheads=OVERHEADS, room=room) == expected
    assert await sweep(scenarios, 4, overheads=OVERHEADS, local=True) == expected


async def test_a_room_of_its_own_is_closed_at_the_end() -> None:
    """The shortest call there is."""
    scenarios = some(2)
    assert await sweep(scenarios, 2, overheads=OVERHEADS, workers=1) == looped(scenarios, 2)


async def test_a_server_of_others_is_left_as_it_was(server: RedisServer, environ: dict[str, str]) -> None:
    """After a sweep by two rooms at once, which help each other."""
    before = await keys(server.address)
    scenarios = some(8)
    async with Room(1, environ=environ) as one, Room(1, environ=environ) as two:
        found = await asyncio.gather(*(sweep(scenarios, 3, overheads=OVERHEADS, room=room) for room in (one, two)))
    assert found == [looped(scenarios, 3)] * 2
    assert await keys(server.address) == before


@pytest.mark.parametrize("local", [False, True])
async def test_progress_counts_every_replication(local: bool, room: Room) -> None:
    """Up to all of them; and each scenario is told once, when it is complete."""
    heard: list[tuple[int, int]] = []
    told: list[Swept] = []
    where = {"local": True} if local else {"room": room}
    found = await sweep(some(5), 60, progress=lambda done, of: heard.append((done, of)), each=told.append, **where)  # type: ignore[arg-type]  # either
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert heard[-1] == (300, 300)
    assert len(heard) > 50
    assert sorted(map(found.index, told)) == list(range(5))


@pytest.mark.parametrize("local", [False, True])
async def test_a_scenario_that_cannot_be_played_does_not_stop_the_others(local: bool, room: Room) -> None:
    """Its error comes back with its name."""
    first, last = some(2)
    where = {"local": True} if local else {"room": room}
    found = await sweep([first, broken(), last], 2, overheads=OVERHEADS, **where)  # type: ignore[arg-type]  # either
    assert [found[0], found[2]] == looped([first, last], 2)
    assert found[1].error.startswith("PolicyError: ")
    assert found[1].replications is None


async def test_workers_may_die_at_random_moments(room: Room) -> None:
    """The sweep loses nothing by it and gives the same numbers."""
    scenarios, dice = some(12, duration_s=10), random.Random()
    task = asyncio.create_task(sweep(scenarios, 10, overheads=OVERHEADS, room=room))
    killed = 0
    while killed < 2 and not task.done():
        await asyncio.sleep(dice.uniform(0.1, 0.6))  # a moment, not a wait: any will do
        if names := room.workforce.names:
            room.workforce.kill(dice.choice(names))
            killed += 1
    assert await task == looped(scenarios, 10)


async def test_a_scenario_at_which_every_worker_dies_is_given_up(room: Room) -> None:
    """After three deaths, with the reason."""
    task = asyncio.create_task(sweep([long()], 1, room=room))
    killed: set[str] = set()
    while not task.done():
        for name in set(room.workforce.names) - killed:
            if await dead_workers.at_work(room.connection, name):
                room.workforce.kill(name)
                killed.add(name)
        await asyncio.sleep(0.02)
    (found,) = await task
    assert found.error.startswith("WorkersDied: 3 workers")
    assert len(killed) == 3


@pytest.mark.parametrize("scenarios", [[long(seed) for seed in range(4)], some(40, duration_s=10)])
async def test_cancelling_it_ends_the_work(room: Room, scenarios: list[Scenario]) -> None:
    """Soon no worker is busy and no job is left, in the midst of long replications too."""
    task = asyncio.create_task(sweep(scenarios, 4, room=room))
    while not await jobs_left(room):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, patience(15))
    assert await jobs_left(room) == set()
    # and the room goes on working
    scenarios = some(2)
    assert await sweep(scenarios, 2, overheads=OVERHEADS, room=room) == looped(scenarios, 2)


async def test_a_job_that_vanishes_is_given_out_again(room: Room) -> None:
    """Somebody has deleted them all, in the middle of it."""
    scenarios = some(10, duration_s=10)
    began = asyncio.Event()
    task = asyncio.create_task(
        sweep(scenarios, 10, overheads=OVERHEADS, room=room, progress=lambda done, of: began.set())
    )
    await began.wait()
    connection = room.connection
    for key in await connection.keys("rq:job:*"):
        await connection.delete(key)
    assert await task == looped(scenarios, 10)


async def test_when_the_server_dies_the_sweep_says_so(room: Room) -> None:
    """It does not wait for ever."""
    began = asyncio.Event()
    task = asyncio.create_task(sweep(some(50), 50, room=room, progress=lambda done, of: began.set()))
    await began.wait()
    room.server.kill()
    with pytest.raises(RedisUnavailable):
        await asyncio.wait_for(task, patience(20))
    await room.start()


@pytest.mark.timeout(300)  # where the engine is not on disk yet it is compiled
async def test_a_large_sweep_is_compiled_and_gives_the_same(room: Room) -> None:
    """Enough requests for the compiled engine: on workers, here, and as plain Python."""
    scenario = Scenario(load=Load(arrival_rate=60, duration_s=100))
    scenarios = [replace(scenario, seed=seed) for seed in range(20)]
    await asyncio.to_thread(engine.have_compiled)
    found = await sweep(scenarios, 2, overheads=OVERHEADS, room=room)
    assert found == await sweep(scenarios, 2, overheads=OVERHEADS, local=True)
    first = replicate(scenarios[0], 2, overheads=OVERHEADS, engine="python")
    assert found[0].replications == first
