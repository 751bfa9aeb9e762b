from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.demo_workers.services.gateway.news.test_streaming import gauge, gauge_is
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, Reply, ask, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def work(url: str, service_time_s: float, kind: str = "sleep") -> Reply:
    """Have it done inline."""
    body = json.dumps({"task": "work", "args": {"service_time_s": service_time_s, "kind": kind}}).encode()
    return await ask(url, "POST", "/sync", None, body)


async def test_the_work_is_done_when_the_answer_comes(idle: System) -> None:
    """A fan-out is on every timeline by then, and no job was made of it."""
    args = {"post": "inline", "author": "ann", "followers": 30, "write_ms": 1}
    reply = await ask(idle.url, "POST", "/sync", None, json.dumps({"task": "fan_out", "args": args}).encode())
    assert (reply.status, reply.body["status"], reply.body["result"]["followers"]) == (200, "finished", 30)
    assert reply.body["seconds"] >= 0.03
    for follower in range(30):
        assert await idle.connection.lindex(f"{idle.queue}:timeline:{follower}", 0) == b"ann: inline"
    assert (await idle.gateway.call("depth"))["depth"] == 0
    assert (await idle.gateway.call("end"))["admitted"] == 0


@pytest.mark.parametrize(("kind", "service_time_s"), [("sleep", 0.4), ("cpu", 0.1)])
async def test_the_loop_goes_on_meanwhile(idle: System, kind: str, service_time_s: float) -> None:
    """While every thread sleeps at its work, or computes, the gateway answers others."""
    busy = [asyncio.create_task(work(idle.url, service_time_s, kind)) for _ in range(8)]
    await gauge_is(idle, "gateway_sync_inside", 8)
    answered = 0
    while not any(task.done() for task in busy):
        assert (await ask(idle.url, "GET", "/healthz")).status == 200
        answered += 1
    assert answered >= 3  # a loop that stood still would answer once, when all is done
    assert [reply.status for reply in await asyncio.gather(*busy)] == [200] * 8


async def test_threads_and_line_are_bounded(fresh: System) -> None:
    """N are worked for at once and 4 N wait; the next one hears 503 at once. Afterwards there is room again."""
    await fresh.start(sync_threads=2)
    start = time.monotonic()
    inside = [asyncio.create_task(work(fresh.url, 0.2)) for _ in range(10)]
    await gauge_is(fresh, "gateway_sync_inside", 10)
    refused = await work(fresh.url, 0)
    assert (refused.status, refused.body["limit"]) == (503, 10)
    assert [reply.status for reply in await asyncio.gather(*inside)] == [200] * 10
    assert time.monotonic() - start > 0.99  # ten times 0.2 s, two at a time
    assert (await work(fresh.url, 0)).status == 200
    assert await gauge(fresh, "gateway_sync_threads") == 2
    assert fresh.log == ""


async def test_who_hangs_up_in_line_leaves_it(fresh: System) -> None:
    """Work that had not begun is not done, and not counted as done."""
    await fresh.start(sync_threads=1)
    first = asyncio.create_task(work(fresh.url, 0.5))
    await gauge_is(fresh, "gateway_sync_inside", 1)
    async with talk(fresh.url) as line:
        line.send(request("POST", "/sync", None, WORK.replace(b"0}", b"60}")))
        await gauge_is(fresh, "gateway_sync_inside", 2)
    await gauge_is(fresh, "gateway_sync_inside", 1)
    assert (await first).status == 200
    assert (await work(fresh.url, 0)).status == 200
    await gauge_is(fresh, "gateway_sync_inside", 0)
    assert await gauge(fresh, "gateway_sync_total") == 2
    assert fresh.log == ""


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"[1", 400),
        ({}, b"{}", 422),
        ({}, b'{"task": "work", "args": {"service_time_s": 61}}', 422),
        ({}, b'{"task": "nonsense"}', 422),
        ({"content-type": "text/plain"}, WORK, 415),
        ({"content-length": ""}, b"", 411),
        ({}, b" " * (64 * 1024 + 1), 413),
    ],
)
async def test_it_is_checked_as_a_job_is(idle: System, headers: dict[str, str], body: bytes, status: int) -> None:
    """The same body, the same mistakes, the same answers."""
    asked: list[Any] = [await ask(idle.url, "POST", path, headers, body) for path in ("/sync", "/jobs")]
    assert [reply.status for reply in asked] == [status, status]
    assert asked[0].body == asked[1].body
    assert idle.log == ""


async def test_without_redis_a_fan_out_is_unavailable(fresh: System) -> None:
    """503, while work that needs no Redis is done all the same."""
    await fresh.start()
    fresh.redis.kill()
    args = {"post": "x", "author": "ann", "followers": 3}
    reply = await ask(fresh.url, "POST", "/sync", None, json.dumps({"task": "fan_out", "args": args}).encode())
    assert reply.status == 503
    assert (await work(fresh.url, 0)).status == 200
    assert fresh.log == ""
