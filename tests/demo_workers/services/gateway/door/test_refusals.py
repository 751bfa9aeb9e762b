from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.records.events import Kind, Outcome
from demo_workers.services.gateway.door.drain_rate import DrainRate
from demo_workers.services.gateway.door.refusals import Refusals
from tests.demo_workers.queueing.place import until
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, Reply, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ORDINARY: dict[str, str] = {}
URGENT = {"priority": "u=1, i"}


async def in_a_row(system: System, *headers: dict[str, str]) -> list[Reply]:
    """Posts that follow each other without a pause, all sent at once over one connection."""
    async with talk(system.url) as line:
        line.send(b"".join(request("POST", "/jobs", each, WORK) for each in headers))
        return [reply for _ in headers if (reply := await line.reply()) is not None]


async def test_a_full_queue_is_remembered_and_counted_apart(idle: System) -> None:
    """The script sees fewer refusals than the clients; record, gateway and script agree on how many."""
    await idle.steer(limit=1)
    await idle.post()
    replies = []
    while not np.any(idle.rows(Kind.DECIDED)["value"] == 1):  # a busy machine may take 5 ms between any two
        replies += await in_a_row(idle, *[ORDINARY] * 12)
    counts = await idle.gateway.call("end")
    assert {reply.status for reply in replies} == {503}
    assert all(reply.body["depth"] == reply.body["limit"] == 1 for reply in replies)
    assert {reply.body["reason"] for reply in replies} == {"full"}
    rows = idle.rows(Kind.DECIDED)
    shed = rows[rows["code"] == Outcome.SHED]
    assert len(shed) == len(replies) == counts["shed"]
    assert set(shed["limit"].tolist()) == {1}
    script = await BoundedQueue(idle.connection, idle.queue).counters(idle.run)
    assert script["full"] == np.sum(np.isnan(shed["value"])) == counts["shed"] - counts["unasked"]
    assert script["admitted"] == 1


async def test_an_urgent_one_is_not_refused_from_memory(idle: System) -> None:
    """Though the queue was found full a moment ago: it displaces an ordinary one."""
    await idle.steer(limit=2, policy="priority")
    replies = await in_a_row(idle, ORDINARY, ORDINARY, ORDINARY, URGENT, URGENT, URGENT)
    assert [reply.status for reply in replies] == [202, 202, 503, 202, 202, 503]


async def test_where_the_oldest_leaves_nobody_is_refused_from_memory(idle: System) -> None:
    """Each newcomer gets in at the cost of one that waits."""
    await idle.steer(limit=1, policy="drop_oldest")
    assert {reply.status for reply in await in_a_row(idle, *[ORDINARY] * 10)} == {202}


async def test_a_key_that_is_known_is_not_refused_from_memory(idle: System) -> None:
    """It is told of its job; a new key asks the script, which refuses it."""
    await idle.steer(limit=1)
    known, fresh = {"idempotency-key": "k-1"}, {"idempotency-key": "k-2"}
    replies = await in_a_row(idle, known, ORDINARY, known, fresh)
    assert [reply.status for reply in replies] == [202, 503, 202, 503]
    assert not np.any(idle.rows(Kind.DECIDED)["value"][[2, 3]] == 1)


async def test_a_refusal_from_memory_knows_who_asked(idle: System) -> None:
    """It is on record under the attempt's name; what is no name is a 400 all the same."""
    await idle.steer(limit=1)
    await idle.post()
    while not np.any(idle.rows(Kind.DECIDED)["value"] == 1):
        names = [{"workbook-attempt": f"{n}.2", "workbook-client": "5"} for n in range(8)]
        replies = await in_a_row(idle, *names, {"workbook-attempt": "nonsense"})
        assert [reply.status for reply in replies] == [503] * 8 + [400]
    mine = idle.rows(Kind.DECIDED)
    mine = mine[mine["value"] == 1]
    assert set(mine["attempt"].tolist()) == {2}
    assert set(mine["actor"].tolist()) == {5}


async def test_a_refusal_does_not_wait_for_the_body(idle: System) -> None:
    """It is said when the head is there; the body that follows is passed over, the next request is understood."""
    await idle.steer(limit=1)
    await idle.post()
    early = 0
    async with talk(idle.url) as line:
        while not early:
            await line.ask("POST", "/jobs", None, WORK)  # the script's word, or its memory
            whole = request("POST", "/jobs", {"workbook-attempt": "7.3"}, WORK)
            line.send(whole[: -len(WORK)])
            with contextlib.suppress(TimeoutError):  # a busy machine may take 5 ms in between: then the body is wanted
                reply = await asyncio.wait_for(line.reply(), 0.2)
                early += 1
                assert reply is not None
                assert reply.status == 503
            line.send(WORK)
            if not early:
                await line.reply()
        assert (await line.ask("GET", "/healthz")).status == 200
        assert (await line.ask("POST", "/jobs", {"connection": "close"}, WORK)).status == 503
        assert await line.closed()


@pytest.mark.asyncio(loop_scope="function")
async def test_memory_minds_the_name_of_the_server(fresh: System) -> None:
    """On loopback a foreign name is refused as ever, and leaves no row that says 503."""
    await fresh.start(tcp={"host": "127.0.0.1", "port": 0}, admission={"limit": 1})
    await fresh.begin(limit=1)
    ours = {"host": fresh.url.removeprefix("http://")}
    async with talk(fresh.url) as line:
        replies = [await line.ask("POST", "/jobs", ours, WORK) for _ in range(5)]
        foreign = [await line.ask("POST", "/jobs", {"host": "evil.example"}, WORK) for _ in range(5)]
    assert [reply.status for reply in replies] == [202, 503, 503, 503, 503]
    assert {reply.status for reply in foreign} == {400}
    assert len(fresh.rows(Kind.DECIDED)) == 5


async def test_memory_is_short() -> None:
    """A few milliseconds; and it ends at once when something may have changed."""
    refusals = Refusals(DrainRate())
    answer = refusals.full(3, 3)
    found = refusals.remembered()
    assert found is None or (found.answer, found.depth, found.limit) == (answer, 3, 3)
    await until(lambda: refusals.remembered() is None, 1)
    refusals.full(3, 3)
    refusals.forget()
    assert refusals.remembered() is None


async def test_a_finished_job_ends_the_memory(system: System) -> None:
    """With places becoming free all the time a burst of refusals never outlives them: everybody gets in in the end."""
    await system.begin(limit=1)

    async def insist(name: str) -> int:
        async with talk(system.url) as line:
            for tries in range(1, 2000):
                reply = await line.ask(
                    "POST", "/jobs", {"prefer": "wait=5", "workbook-attempt": f"{name}.{tries}"}, WORK
                )
                if reply.status == 200:
                    return tries
        return 0

    assert all(await asyncio.gather(*(insist(str(n)) for n in range(8))))
    await system.drained()
    await system.gateway.call("end")
