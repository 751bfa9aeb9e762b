from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from typing import Any

import psutil
import pytest

from demo_workers.queueing.taking import take_key
from demo_workers.records.events import Kind, Outcome, Result
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, Reply, ask, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def burst(system: System, producers: int = 16, each: int = 50) -> list[Reply]:
    """Many producers at once, each on its own connection, one post after the other."""

    async def produce(producer: int) -> list[Reply]:
        async with talk(system.url) as line:
            names = ({"workbook-attempt": f"{producer * each + n}.1"} for n in range(each))
            return [await line.ask("POST", "/jobs", name, WORK) for name in names]

    return [reply for replies in await asyncio.gather(*map(produce, range(producers))) for reply in replies]


async def test_the_limit_is_exact(idle: System) -> None:
    """Of 800 posts by 16 producers at once, 50 come in; record, counts and script agree with what they saw."""
    await idle.steer(limit=50)
    replies = await burst(idle)
    counts = await idle.gateway.call("end")
    assert Counter(reply.status for reply in replies) == {202: 50, 503: 750}
    assert all(reply.body["depth"] == reply.body["limit"] == 50 for reply in replies if reply.status == 503)
    assert (counts["admitted"], counts["shed"], counts["errored"], counts["rows"]) == (50, 750, 0, 800)
    rows = idle.rows(Kind.DECIDED)
    assert sorted(rows["depth"][rows["code"] == Outcome.ADMITTED].tolist()) == list(range(1, 51))
    assert set(rows["limit"].tolist()) == {50}


async def test_look_then_push_lets_too_many_in(idle: System) -> None:
    """The naive policy races: of sixteen posts that it finds together, more than the limit are admitted."""
    await idle.steer(limit=4, policy="naive")
    gateway = psutil.Process(idle.gateway.pid)
    async with contextlib.AsyncExitStack() as lines_close:
        lines = [await lines_close.enter_async_context(talk(idle.url)) for _ in range(16)]
        gateway.suspend()
        for line in lines:
            line.send(request("POST", "/jobs", body=WORK))
        gateway.resume()
        replies = [await line.reply() for line in lines]
    assert sum(reply is not None and reply.status == 202 for reply in replies) > 4
    assert (await idle.post()).status == 503, "full it is in the end"


async def test_the_record_says_what_clients_saw(system: System) -> None:
    """Each attempt's row has the status its client got; 200 is the late form of 202."""
    await system.begin(limit=4)
    began = time.monotonic() - system.origin
    names = [f"{request}.{attempt}" for request in range(12) for attempt in (1, 2)]
    waits = ["wait=5" if int(name[0]) % 2 else "" for name in names]
    replies = await asyncio.gather(
        *(system.post(0.01, workbook_attempt=n, prefer=w) for n, w in zip(names, waits, strict=True))
    )
    refused = await ask(system.url, "POST", "/jobs", {"workbook-attempt": "99.1"}, b"{}")
    await system.drained()
    counts = await system.gateway.call("end")
    rows = system.rows(Kind.DECIDED)
    recorded = {f"{row['request']}.{row['attempt']}": int(row["status"]) for row in rows}
    saw = {name: 202 if reply.status == 200 else reply.status for name, reply in zip(names, replies, strict=True)}
    assert recorded == saw | {"99.1": refused.status}
    assert rows["code"][rows["request"] == 99].tolist() == [Outcome.ERRORED]
    assert counts["errored"] == 1

    ended = system.rows(Kind.ENDED)
    admitted = rows[rows["code"] == Outcome.ADMITTED]
    assert len(ended) == len(system.rows(Kind.STARTED)) == len(admitted) == counts["finished"]
    assert set(ended["code"].tolist()) == {Result.OK}
    started = {int(row["request"]) << 16 | int(row["attempt"]): float(row["t"]) for row in system.rows(Kind.STARTED)}
    for row in admitted:
        key = int(row["request"]) << 16 | int(row["attempt"])
        assert began <= row["t"] <= started[key] <= time.monotonic() - system.origin


async def test_who_does_not_name_itself_is_numbered(idle: System) -> None:
    """From 2**30 upward, attempt 1, client -1; who does keeps its name."""
    replies = [await idle.post(), await idle.post(), await idle.post(workbook_attempt="5.3", workbook_client="8")]
    assert [reply.body["id"] for reply in replies] == [
        f"{idle.run}-{2**30}-1",
        f"{idle.run}-{2**30 + 1}-1",
        f"{idle.run}-5-3",
    ]
    assert idle.rows(Kind.DECIDED)["actor"].tolist() == [-1, -1, 8]


async def test_workers_find_in_redis_which_jobs_to_drop(idle: System) -> None:
    """From the start, with a new run, and as soon as a knob is turned; the last one counts."""

    async def told() -> dict[str, Any]:
        return dict(json.loads(await idle.connection.get(take_key(idle.queue))))

    assert (await told())["policy"] == "all"
    await idle.steer(policy="lifo+codel", codel_target_s=0.25)
    assert await told() == {"policy": "codel", "codel_target_s": 0.25, "codel_interval_s": 1.0}
    await asyncio.gather(*(idle.steer(policy="codel", codel_interval_s=n / 10) for n in range(1, 10)))
    assert (await told())["codel_interval_s"] == 0.9
    await idle.begin(policy="drop_expired")
    assert (await told())["policy"] == "drop_expired"


@pytest.mark.asyncio(loop_scope="function")
async def test_retry_after_follows_the_drain(fresh: System) -> None:
    """With nothing known it is 1; then the surplus over the rate of finished jobs, exact in the body."""
    await fresh.start(workers=1, admission={"limit": 1})
    async with talk(fresh.url) as line:
        first = await fresh.post(0.3)
        refused = await line.ask("POST", "/jobs", None, WORK)
        assert (first.status, refused.status, refused.body["retry_after_s"]) == (202, 503, 1.0)
        await fresh.steer(limit=40)
        for _ in range(30):
            await line.ask("POST", "/jobs", {"prefer": "wait=5"}, WORK)
        await fresh.steer(limit=1)
        await fresh.post(0.5)
        refused = await line.ask("POST", "/jobs", None, WORK)
    assert refused.body["retry_after_s"] < 0.5
    assert refused.headers["retry-after"] == "1"


async def test_steering_acts_at_once(idle: System) -> None:
    """The next decision is made with the new limit, and the reply says when it began."""
    await idle.steer(limit=1)
    assert [(await idle.post()).status for _ in range(2)] == [202, 503]
    began = await idle.steer(limit=2)
    assert [(await idle.post()).status for _ in range(2)] == [202, 503]
    await idle.steer(limit=None)
    assert (await idle.post()).status == 202
    rows = idle.rows(Kind.DECIDED)
    assert rows["limit"].tolist() == [1, 1, 2, 2, -1]
    assert rows["t"][1] <= began <= rows["t"][2]
    with pytest.raises(Exception, match=r"admission\.limit = 0: must be"):
        await idle.steer(limit=0)
