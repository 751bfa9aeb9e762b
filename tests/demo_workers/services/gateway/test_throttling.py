from __future__ import annotations

import asyncio
import time

import pytest

from demo_workers.records.events import Kind, Outcome
from demo_workers.services.gateway.door import throttle
from demo_workers.services.gateway.door.throttle import Throttle
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, ask, talk


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_client_past_its_rate_hears_429(idle: System) -> None:
    """The burst gets in, then 429 says when to come back; another client, and the queue, are not concerned."""
    await idle.steer(client_rate=0.5, client_burst=3)
    replies = [await idle.post(workbook_client="1", workbook_attempt=f"{n}.1") for n in range(5)]
    assert [reply.status for reply in replies] == [202, 202, 202, 429, 429]
    refused = replies[-1]
    assert 0 < refused.body["retry_after_s"] <= 2
    assert int(refused.headers["retry-after"]) == 2
    assert (refused.body["rate"], refused.body["burst"]) == (0.5, 3)
    assert (await idle.post(workbook_client="2")).status == 202
    rows = idle.rows(Kind.DECIDED)
    throttled = rows[rows["code"] == Outcome.THROTTLED]
    assert throttled["status"].tolist() == [429, 429]
    assert throttled["actor"].tolist() == [1, 1]
    counts = await idle.gateway.call("end")
    assert (counts["admitted"], counts["throttled"]) == (4, 2)


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_who_comes_back_when_told_gets_in(idle: System) -> None:
    """``retry_after_s`` is neither too short nor, by more than a token, too long."""
    await idle.steer(client_rate=2, client_burst=1)
    assert (await idle.post(workbook_client="1")).status == 202
    refused = await idle.post(workbook_client="1")
    assert refused.status == 429
    assert 0 < refused.body["retry_after_s"] <= 0.5
    await asyncio.sleep(refused.body["retry_after_s"])
    assert (await idle.post(workbook_client="1")).status == 202


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_saying_no_name_is_no_way_round(idle: System) -> None:
    """Those who do not name themselves share one bucket."""
    await idle.steer(client_rate=0.1, client_burst=2)
    assert [(await idle.post()).status for _ in range(4)] == [202, 202, 429, 429]
    assert (await ask(idle.url, "POST", "/jobs", {"workbook-client": "x"}, WORK)).status == 400


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_throttled_request_is_refused_before_it_costs(idle: System) -> None:
    """Not even its body is read: 429 comes while the body is still on its way."""
    await idle.steer(client_rate=0.1, client_burst=1)
    await idle.post(workbook_client="1")
    async with talk(idle.url) as line:
        line.send(
            b"POST /jobs HTTP/1.1\r\nhost: w\r\nworkbook-client: 1\r\ncontent-type: application/json\r\n"
            b"content-length: 99\r\n\r\n{"
        )
        reply = await line.reply()
    assert reply is not None
    assert reply.status == 429


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_the_rate_is_steered_at_once(idle: System) -> None:
    """A higher rate lets in who was refused; none lets in everybody."""
    await idle.steer(client_rate=0.001, client_burst=1)
    assert [(await idle.post(workbook_client="1")).status for _ in range(2)] == [202, 429]
    await idle.steer()
    assert [(await idle.post(workbook_client="1")).status for _ in range(5)] == [202] * 5


def test_buckets_are_bounded() -> None:
    """The client that was silent for longest is forgotten, the one that asks most is not."""
    buckets, now = Throttle(), time.monotonic()
    assert buckets.wait_s(0, now, 1.0, 1.0) == 0
    for client in range(1, 3 * throttle.MOST):
        assert buckets.wait_s(client, now, 1.0, 1.0) == 0
        assert buckets.wait_s(0, now, 1.0, 1.0) > 0
    assert len(buckets) <= throttle.MOST
    assert buckets.wait_s(1, now, 1.0, 1.0) == 0
    assert buckets.wait_s(3 * throttle.MOST - 1, now, 1.0, 1.0) > 0
