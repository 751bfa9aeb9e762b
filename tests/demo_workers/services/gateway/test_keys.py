"""Idempotency-Key: the same job is done once, however often it is asked for."""

from __future__ import annotations

import asyncio
import json

import pytest

from demo_workers.queueing.bounded_enqueue import KEYS_LIVE_S, BoundedQueue
from demo_workers.records.events import Kind, Outcome
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, Reply, ask

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

OTHER = b'{"task": "work", "args": {"service_time_s": 0.001}}'
SAME = b'{ "args": {"kind": "sleep", "service_time_s": 0.0}, "task":"work" }'


async def keyed(system: System, key: str, body: bytes = WORK, **headers: str) -> Reply:
    """One post with a key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(system.url, "POST", "/jobs", {"idempotency-key": key} | named, body)


async def test_a_repeated_key_is_told_of_the_first_job(idle: System) -> None:
    """Whatever its attempt is called, and however the same data are written; one job, one admission on record."""
    first = await keyed(idle, "order-1", workbook_attempt="1.1")
    again = await keyed(idle, "order-1", SAME, workbook_attempt="1.2")
    assert (first.status, again.status) == (202, 202)
    assert first.body == again.body == {"id": f"{idle.run}-1-1", "status": "queued"}
    rows = idle.rows(Kind.DECIDED)
    assert rows["code"].tolist() == [Outcome.ADMITTED, Outcome.DUPLICATE]
    assert list(zip(rows["request"].tolist(), rows["attempt"].tolist(), strict=True)) == [(1, 1), (1, 2)]
    assert await BoundedQueue(idle.connection, idle.queue).depth() == 1


async def test_the_same_key_for_another_job_is_a_mistake(idle: System) -> None:
    """422, recorded as errored; the first job stands."""
    await keyed(idle, "order-1")
    reply = await keyed(idle, "order-1", OTHER)
    assert (reply.status, "another job" in reply.body["detail"]) == (422, True)
    assert idle.codes(Kind.DECIDED) == [Outcome.ADMITTED, Outcome.ERRORED]
    assert (await keyed(idle, "order-1")).status == 202


async def test_a_refusal_is_not_remembered_under_its_key(idle: System) -> None:
    """The same key, also with other data, is free after a 503; when there is a place again it gets in."""
    await idle.steer(limit=1)
    assert [(await keyed(idle, key)).status for key in ("a", "b")] == [202, 503]
    await idle.steer(limit=2)
    assert [(await keyed(idle, "b", OTHER)).status for _ in range(2)] == [202, 202]
    assert idle.codes(Kind.DECIDED) == [Outcome.ADMITTED, Outcome.ADMITTED, Outcome.DUPLICATE, Outcome.SHED]


async def test_a_full_queue_still_knows_its_keys(idle: System) -> None:
    """The key is looked up before the limit."""
    await idle.steer(limit=1)
    assert [(await keyed(idle, "a")).status for _ in range(3)] == [202, 202, 202]
    assert (await keyed(idle, "b")).status == 503


async def test_who_waits_under_a_known_key_gets_the_first_jobs_result(system: System) -> None:
    """While it runs, just after its end, and long after it: 200 with the result of the one job that ran."""
    await system.begin()
    body = json.dumps({"task": "fan_out", "args": {"post": "hi", "author": "ann", "followers": 40}}).encode()
    at_once = [keyed(system, "post-1", body, workbook_attempt=f"1.{n}", prefer="wait=9") for n in range(1, 5)]
    replies = [*await asyncio.gather(*at_once), await keyed(system, "post-1", body, prefer="wait=9")]
    await asyncio.gather(*(system.post(prefer="wait=9") for _ in range(210)))  # so that the ending is not a recent one
    replies.append(await keyed(system, "post-1", body, workbook_attempt="1.9", prefer="wait=9"))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body["id"] for reply in replies}) == 1
    assert {reply.body["result"]["followers"] for reply in replies} == {40}
    assert (await keyed(system, "post-1", body)).body["status"] == "finished"
    await system.drained()
    assert sum(system.rows(Kind.STARTED)["request"] == 1) == 1
    await system.gateway.call("end")


async def test_a_job_that_is_forgotten_is_not_done_again(idle: System) -> None:
    """Its key outlives its result: 202 that says expired, also to who would wait."""
    first = await keyed(idle, "a")
    await idle.connection.delete(f"rq:job:{first.body['id']}")
    for prefer in ("", "wait=9"):
        reply = await keyed(idle, "a", prefer=prefer)
        assert (reply.status, reply.body) == (202, {"id": first.body["id"], "status": "expired"})


async def test_keys_belong_to_their_run_and_end(idle: System) -> None:
    """Another run may use the same one; none is kept for ever."""
    first = await keyed(idle, "a")
    names = [name.decode() async for name in idle.connection.scan_iter(f"{idle.queue}:key:{idle.run}:*")]
    assert len(names) == 1
    assert 0 < await idle.connection.ttl(names[0]) <= KEYS_LIVE_S
    await idle.begin()
    assert (await keyed(idle, "a", OTHER)).body["id"] != first.body["id"]


@pytest.mark.parametrize("key", ["x" * 129, "with space", "tab\tin", "über"])
async def test_what_is_no_key_is_refused(idle: System, key: str) -> None:
    """400, with the bound."""
    reply = await keyed(idle, key.encode().decode("latin-1"))
    assert reply.status == 400
    assert "1 to 128" in reply.body["detail"]
