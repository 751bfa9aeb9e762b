from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from demo_workers.queueing import announce, dead_workers
from demo_workers.records.events import Kind, Result
from demo_workers.services.gateway.news.waiters import MOST, Waiters
from demo_workers.services.gateway.web.problems import Problem
from tests.demo_workers.services.gateway.system import System, until
from tests.demo_workers.services.gateway.talk import WORK, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def test_hanging_up_cancels_nothing(system: System) -> None:
    """The job of a client that left runs and ends like any other."""
    await system.begin()
    async with talk(system.url) as line:
        line.send(request("POST", "/jobs", {"prefer": "wait=30", "workbook-attempt": "1.1"}, WORK))
        await until(lambda: len(system.rows(Kind.DECIDED)))
    await system.drained()
    assert system.codes(Kind.ENDED) == [Result.OK]
    assert system.log == ""


async def test_cancelled_jobs_are_told_and_recorded(idle: System) -> None:
    """What waits is taken out: its clients hear 503, the record says CANCELLED at the moment it left."""
    names = [f"{n}.1" for n in range(5)]
    polls = [asyncio.create_task(idle.post(workbook_attempt=name, prefer="wait=30")) for name in names]
    await until(lambda: len(idle.rows(Kind.DECIDED)) == 5)
    assert await outstanding(idle) == (5, 0)
    before = time.monotonic() - idle.origin
    assert (await idle.gateway.call("cancel_waiting"))["cancelled"] == 5
    replies = await asyncio.gather(*polls)
    assert {reply.status for reply in replies} == {503}
    assert {reply.body["id"] for reply in replies} == {f"{idle.run}-{n}-1" for n in range(5)}
    rows = idle.rows(Kind.ENDED)
    assert set(rows["code"].tolist()) == {Result.CANCELLED}
    assert (rows["t"] != rows["t"]).all()
    assert (rows["value"] >= before).all()
    assert await outstanding(idle) == (0, 0)
    assert (await idle.gateway.call("end"))["cancelled"] == 5


@pytest.mark.asyncio(loop_scope="function")
async def test_what_a_dead_worker_held_is_lost(fresh: System) -> None:
    """Its client hears that the job failed, the record says LOST; what it had finished stays finished."""
    await fresh.start(workers=1)
    await fresh.begin()
    done = await fresh.post(workbook_attempt="1.1", prefer="wait=5")
    poll = asyncio.create_task(fresh.post(30.0, workbook_attempt="2.1", prefer="wait=30"))
    await until(lambda: 2 in fresh.rows(Kind.STARTED)["request"])
    fresh.workers[0].kill()
    await fresh.workers[0].wait()
    found = await dead_workers.settle(fresh.connection, fresh.queue, f"{fresh.queue}-w0")
    jobs = [list(job) for job in found]
    assert [job_id for job_id, _ in jobs] == [f"{fresh.run}-2-1"]
    told = [*jobs, [done.body["id"], "running"]]  # as if it had died just before RQ put the result away
    assert (await fresh.gateway.call("settled", jobs=told))["lost"] == 1
    assert (await fresh.gateway.call("settled", jobs=told))["lost"] == 0
    reply = await poll
    assert (reply.status, reply.body["status"]) == (200, "failed")
    assert "WorkerDied" in reply.body["error"]
    assert fresh.rows(Kind.ENDED)["code"].tolist() == [Result.OK, Result.LOST]
    assert await outstanding(fresh) == (0, 0)


async def test_news_from_another_machine_is_dated_by_redis(idle: System) -> None:
    """Its own clock means nothing here: the time is when the news came in, and the record says so."""
    await idle.post(workbook_attempt="1.1")
    said: dict[Any, Any] = {"job": f"{idle.run}-1-1", "worker": "far", "n": 7, "t": "5.0", "boot": "elsewhere"}
    before = time.monotonic() - idle.origin
    entries: list[dict[Any, Any]] = [said | {"k": "s"}, said | {"k": "f", "ok": 1, "result": "null"}, {"nonsense": "1"}]
    for entry in entries:
        await idle.connection.xadd(announce.stream_key(idle.queue), entry)
    assert (await idle.gateway.call("end"))["clock"] == "estimated"
    after = time.monotonic() - idle.origin
    rows = [idle.rows(kind)[0] for kind in (Kind.STARTED, Kind.ENDED)]
    assert [row["actor"] for row in rows] == [7, 7]
    assert all(before - 0.05 <= row["t"] <= after + 0.05 for row in rows)
    assert "no announcement" in idle.log


async def test_a_record_that_cannot_be_written_is_news(idle: System) -> None:
    """A full disk ends the record, not the service."""
    await idle.gateway.call("begin", run="full", origin=time.monotonic(), events="/dev/full", admission={})
    assert [(await idle.post()).status for _ in range(2)] == [202, 202]
    await until(lambda: idle.told)
    assert [news["event"] for news in idle.told] == ["record_lost"]


async def outstanding(system: System) -> tuple[int, int]:
    """Waiting and running, as the record has it."""
    left = await system.gateway.call("outstanding")
    return left["waiting"], left["running"]


async def test_there_is_a_bound_on_those_who_wait() -> None:
    """The next one hears 503; when one has left there is room again."""
    waiters = Waiters()
    waits = [waiters.add("job") for _ in range(MOST)]
    with pytest.raises(Problem, match="Too many") as caught:
        waiters.add("job")
    assert caught.value.status == 503
    waiters.remove("job", waits[0])
    waiters.add("job")
