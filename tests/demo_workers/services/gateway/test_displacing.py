"""Jobs that leave the queue for others: their clients are told, the books stay right."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.records.events import Kind, Outcome, Result
from tests.demo_workers.services.gateway.system import System, until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def test_who_is_displaced_hears_503_and_may_come_again(idle: System) -> None:
    """Its wait ends at once; the record says that it was dropped; RQ that it was cancelled; the script counts it."""
    await idle.steer(limit=1, policy="drop_oldest")
    poll = asyncio.create_task(idle.post(workbook_attempt="1.1", prefer="wait=30"))
    await until(lambda: len(idle.rows(Kind.DECIDED)))
    assert (await idle.post(workbook_attempt="2.1")).status == 202
    reply = await poll
    assert (reply.status, reply.body["id"]) == (503, f"{idle.run}-1-1")
    assert "make room" in reply.body["detail"]
    (row,) = idle.rows(Kind.ENDED)
    assert (row["code"], row["request"], row["actor"], row["t"] != row["t"]) == (Result.DROPPED, 1, -1, True)
    assert idle.codes(Kind.DECIDED) == [Outcome.ADMITTED, Outcome.ADMITTED]
    assert await idle.connection.zrange(f"rq:canceled:{idle.queue}", 0, -1) == [f"{idle.run}-1-1".encode()]
    assert (await BoundedQueue(idle.connection, idle.queue).counters(idle.run))["dropped"] == 1
    assert (await idle.gateway.call("outstanding"))["waiting"] == 1
    assert (await idle.gateway.call("end"))["dropped"] == 1


async def test_the_urgent_are_told_by_their_priority(idle: System) -> None:
    """RFC 9218: u=0 to 2 goes first, in order of arrival; 3, nothing and nonsense are ordinary."""
    await idle.steer(policy="priority")
    for request, priority in enumerate(["", "u=2", "u=3", "i, u=0", "urgent", "u=9", "u=1;x"]):
        await idle.post(workbook_attempt=f"{request}.1", priority=priority)
    waiting = await idle.connection.lrange(f"rq:queue:{idle.queue}", 0, -1)
    assert [int(job_id.split(b"-")[1]) for job_id in waiting] == [1, 3, 6, 0, 2, 4, 5]


async def test_a_deadline_travels_with_its_job(idle: System) -> None:
    """As the moment when nobody will wait any more; without the header there is no meta."""
    before = time.time()
    await idle.post(workbook_attempt="1.1", workbook_deadline="0.953")
    after = time.time()
    await idle.post(workbook_attempt="2.1")
    meta = json.loads(await idle.connection.hget(f"rq:job:{idle.run}-1-1", "meta"))
    assert before + 0.953 <= meta["expires_at"] <= after + 0.953
    assert not await idle.connection.hexists(f"rq:job:{idle.run}-2-1", "meta")
    assert (await idle.post(workbook_deadline="soon")).status == 400


@pytest.mark.parametrize("policy", ["drop_oldest", "priority"])
async def test_a_storm_leaves_the_books_balanced(idle: System, policy: str) -> None:
    """Every admitted job waits or was dropped, nobody is left without an answer, and the limit holds."""
    await idle.steer(limit=5, policy=policy)
    posts = (
        idle.post(workbook_attempt=f"{n}.1", priority="u=1" if n % 3 == 0 else "", prefer="wait=1" if n % 2 else "")
        for n in range(120)
    )
    replies = await asyncio.gather(*posts)
    assert {reply.status for reply in replies} <= {202, 503}
    rows = idle.rows(Kind.DECIDED)
    admitted = rows[rows["code"] == Outcome.ADMITTED]
    assert max(admitted["depth"].tolist()) == 5
    dropped = idle.rows(Kind.ENDED)
    assert set(dropped["code"].tolist()) == {Result.DROPPED}
    assert len(admitted) - len(dropped) == await BoundedQueue(idle.connection, idle.queue).depth() == 5
    assert (await BoundedQueue(idle.connection, idle.queue).counters(idle.run))["dropped"] == len(dropped)
