from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from typing import Any

import pytest

from demo_workers.records.events import Kind
from demo_workers.services.gateway.news import listeners
from tests.demo_workers.services.gateway.events import Event, events
from tests.demo_workers.services.gateway.system import System, until
from tests.demo_workers.services.gateway.talk import Reply, ask, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def post(system: System, **args: Any) -> str:
    """Post a fan-out; returns the job's id."""
    body = {"task": "fan_out", "args": {"post": "hello", "author": "ann", "write_ms": 2} | args}
    reply = await ask(system.url, "POST", "/jobs", None, json.dumps(body).encode())
    assert reply.status == 202
    return str(reply.body["id"])


async def gauge(system: System, name: str) -> float:
    """A value of the gateway's metrics."""
    text = (await ask(system.url, "GET", "/metrics")).body
    return float(next(row.split()[1] for row in text.splitlines() if row.startswith(name + " ")))


async def gauge_is(system: System, name: str, wanted: float) -> None:
    """Wait for a value."""
    async with asyncio.timeout(30):
        while await gauge(system, name) != wanted:
            await asyncio.sleep(0.01)


def names(told: list[Event]) -> list[str]:
    """Their names, progress once."""
    found = [event.name for event in told]
    return [name for at, name in enumerate(found) if name != "progress" or found[at - 1] != "progress"]


async def test_a_stream_tells_a_jobs_whole_life(fresh: System) -> None:
    """From the queue to the result: queued, started, progress as the job tells it, finished; then it ends."""
    await fresh.start()
    job_id = await post(fresh, followers=300)
    async with events(fresh.url, job_id) as stream:
        first = await stream.event()
        assert first is not None
        assert (first.name, first.identity, first.data["status"]) == ("queued", "queued", "queued")
        assert stream.retry_ms > 0
        await fresh.add_worker()
        told = await stream.rest()
    assert names(told) == ["started", "progress", "finished"]
    done = [event.data["progress"]["done"] for event in told if event.name == "progress"]
    assert done == sorted(set(done))
    assert [event.identity for event in told if event.name == "progress"] == [f"progress-{count}" for count in done]
    assert told[-1].data["result"]["followers"] == 300
    assert {event.data["id"] for event in told} == {job_id}
    assert fresh.log == ""


async def test_who_comes_late_hears_how_it_is(system: System) -> None:
    """The present state comes first: of a job that is over, that is its page, and nothing follows."""
    job_id = await post(system, followers=50, write_ms=0)
    await system.drained_of(job_id)
    async with events(system.url, job_id) as stream:
        (last,) = await stream.rest()
    assert (last.name, last.identity) == ("finished", "finished")
    assert last.data == (await ask(system.url, "GET", f"/jobs/{job_id}")).body


async def test_who_has_heard_the_end_need_not_come_again(system: System) -> None:
    """With the end's id as Last-Event-ID the answer is 204, on which browsers give up; with another the end follows."""
    job_id = await post(system, followers=50, write_ms=0)
    await system.drained_of(job_id)
    reply = await ask(system.url, "GET", f"/jobs/{job_id}/events", {"last-event-id": "finished"})
    assert (reply.status, reply.body) == (204, None)
    for last in ("started", "progress-50", "nonsense"):
        async with events(system.url, job_id, last) as stream:
            assert names(await stream.rest()) == ["finished"]


async def test_a_cancelled_job_ends_its_streams(idle: System) -> None:
    """All of them hear it at once."""
    job_id = await post(idle, followers=1)
    async with events(idle.url, job_id) as one, events(idle.url, job_id) as other:
        assert [event.name for stream in (one, other) if (event := await stream.event())] == ["queued"] * 2
        assert (await ask(idle.url, "DELETE", f"/jobs/{job_id}")).status == 200
        assert [names(await stream.rest()) for stream in (one, other)] == [["canceled"]] * 2


async def test_what_nobody_announces_is_heard_too(idle: System) -> None:
    """RQ's own maintenance, another program or time may end a job: the streams find out."""
    for end, name in (({"status": "failed"}, "failed"), (None, "expired")):
        job_id = await post(idle, followers=1)
        async with events(idle.url, job_id) as stream:
            await stream.event()
            if end is None:
                await idle.connection.delete(f"rq:job:{job_id}")
            else:
                await idle.connection.hset(f"rq:job:{job_id}", mapping=end)
            assert names(await stream.rest()) == [name]


async def test_an_idle_stream_shows_that_it_lives(fresh: System) -> None:
    """Comments keep the connection open where something in between would close it."""
    await fresh.start(heartbeat_s=0.05)
    job_id = await post(fresh, followers=1)
    async with events(fresh.url, job_id) as stream:
        await stream.event()
        waiting = asyncio.create_task(stream.event())
        await until(lambda: len(stream.comments) >= 3)
        assert not waiting.done()
        await ask(fresh.url, "DELETE", f"/jobs/{job_id}")
        assert ((await waiting) or ("",))[0] == "canceled"


async def test_hanging_up_frees_everything(idle: System) -> None:
    """The gateway forgets streams whose clients have gone, however they went."""
    job_id = await post(idle, followers=1)
    for _ in range(3):
        async with events(idle.url, job_id) as one, events(idle.url, job_id) as other:
            await one.event()
            await other.event()
            await gauge_is(idle, "gateway_streams", 2)
    await gauge_is(idle, "gateway_streams", 0)
    await gauge_is(idle, "gateway_waiters", 0)
    assert idle.log == ""


async def test_streams_are_bounded(idle: System) -> None:
    """One more than there may be hears 503; when one has gone there is room again."""
    job_id = await post(idle, followers=1)
    path = f"/jobs/{job_id}/events"
    async with contextlib.AsyncExitStack() as others:
        for _ in range(listeners.MOST - 1):
            (await others.enter_async_context(talk(idle.url))).send(request("GET", path))
        await gauge_is(idle, "gateway_streams", listeners.MOST - 1)
        for _ in range(2):  # there is room again when the first one has gone
            async with events(idle.url, job_id) as last:
                assert await last.event() is not None
                refused = await ask(idle.url, "GET", path)
                assert (refused.status, refused.body["limit"]) == (503, listeners.MOST)
            await gauge_is(idle, "gateway_streams", listeners.MOST - 1)
    await gauge_is(idle, "gateway_streams", 0)


@pytest.mark.parametrize("job_id", ["no-such-job", "x" * 65])
async def test_there_is_no_stream_of_nothing(system: System, job_id: str) -> None:
    """404 is a problem body, not an empty stream."""
    assert (await ask(system.url, "GET", f"/jobs/{job_id}/events")).status == 404
    await gauge_is(system, "gateway_streams", 0)


async def test_at_the_end_the_streams_say_so(fresh: System) -> None:
    """SIGTERM: the last event is ``closing``, without an id, and the stream ends as it should."""
    await fresh.start()
    job_id = await post(fresh, followers=1)
    async with events(fresh.url, job_id) as stream:
        await stream.event()
        assert fresh.gateway.pid is not None
        os.kill(fresh.gateway.pid, signal.SIGTERM)
        (last,) = await stream.rest()
    assert (last.name, last.identity) == ("closing", "queued")
    await fresh.gateway.wait()
    assert fresh.log == ""


async def test_without_redis_the_streams_end(fresh: System) -> None:
    """They say that nothing more can be heard; new ones hear 503."""
    await fresh.start()
    job_id = await post(fresh, followers=1)
    async with events(fresh.url, job_id) as stream:
        await stream.event()
        fresh.redis.kill()
        assert names(await stream.rest()) == ["redis_lost"]
    assert (await ask(fresh.url, "GET", f"/jobs/{job_id}/events")).status == 503
    assert fresh.log == ""


async def test_who_does_not_read_costs_little(fresh: System) -> None:
    """A stream that is never read holds no more than one state of each kind, and nobody else waits for it."""
    await fresh.start(workers=1)
    await fresh.begin()
    deaf = socket.socket(socket.AF_UNIX)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    job_id = await post(fresh, followers=300)
    deaf.connect(str(fresh.socket))
    deaf.sendall(request("GET", f"/jobs/{job_id}/events"))
    try:
        async with events(fresh.url, job_id) as stream:
            assert names(await stream.rest())[-1] == "finished"
        reply: Reply = await fresh.post()
        assert reply.status == 202
        await until(lambda: len(fresh.rows(Kind.DECIDED)) == 2)
    finally:
        deaf.close()
    assert fresh.log == ""
