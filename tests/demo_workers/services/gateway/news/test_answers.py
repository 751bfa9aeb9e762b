from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from demo_workers.queueing.connection import connect
from demo_workers.records.events import Kind, Outcome
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, ask, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

CHUNKED = {"content-length": "", "transfer-encoding": "chunked"}


def chunks(*parts: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def order(task: Any = "work", **args: Any) -> bytes:
    """The body of a job."""
    return json.dumps({"task": task, "args": args}).encode()


async def over(system: System, job_id: str) -> dict[str, Any]:
    """The job's page once RQ has put its result away, which is a moment after the worker has announced it."""
    end = time.monotonic() + 30
    async with talk(system.url) as line:
        while (page := (await line.ask("GET", f"/jobs/{job_id}")).body)["status"] in ("queued", "started"):
            assert time.monotonic() < end, page
            await asyncio.sleep(0.005)
    return dict(page)


async def test_a_job_is_accepted_with_its_place(system: System) -> None:
    """202 says where to look, and there the job is."""
    reply = await system.post()
    assert reply.status == 202
    assert reply.headers["location"] == f"/jobs/{reply.body['id']}"
    assert (await ask(system.url, "GET", reply.headers["location"])).body["id"] == reply.body["id"]


async def test_who_waits_gets_the_result(system: System) -> None:
    """Prefer: wait answers 200 with the result, and says that the preference was honoured."""
    body = order("fan_out", post="hello", author="ann", followers=60, write_ms=0)
    reply = await ask(system.url, "POST", "/jobs", {"prefer": "respond-async, wait=10"}, body)
    assert (reply.status, reply.body["status"]) == (200, "finished")
    assert reply.body["result"]["followers"] == 60
    assert reply.headers["preference-applied"] == "wait=10"


async def test_a_jobs_page_has_progress_and_result(system: System) -> None:
    """GET /jobs/{id} shows what RQ knows: progress from the job's meta, times, worker, result."""
    body = order("fan_out", post="hello", author="ann", followers=100, write_ms=0)
    reply = await ask(system.url, "POST", "/jobs", {"prefer": "wait=10"}, body)
    page = await over(system, reply.body["id"])
    assert page["status"] == "finished"
    assert page["progress"] == {"done": 100, "total": 100}
    assert page["result"]["followers"] == 100
    assert page["enqueued_at"] <= page["started_at"] <= page["ended_at"]
    assert page["worker"].startswith(system.queue)


async def test_patience_may_end_before_the_job(system: System) -> None:
    """When N seconds are over the answer is 202, and the job goes on."""
    reply = await system.post(1.2, prefer="wait=1")
    assert (reply.status, reply.body["status"]) == (202, "queued")
    assert reply.headers["preference-applied"] == "wait=1"


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait=0", "wait", "return=minimal", "await=3"])
async def test_a_preference_not_understood_is_ignored(system: System, prefer: str) -> None:
    """RFC 7240: the answer comes at once, as without it."""
    reply = await system.post(prefer=prefer)
    assert reply.status == 202
    assert "preference-applied" not in reply.headers


async def test_a_failed_job_is_a_good_answer(system: System) -> None:
    """A job that raised is 200 with status failed and the error's text; so its page says."""
    await system.begin()
    queue = Queue(system.queue, connection=connect(system.redis.address), serializer=JSONSerializer)
    queue.enqueue("operator.truediv", 1, 0, job_id=f"{system.run}-7-1")
    for _ in range(2):  # once while it may still run, once after its end
        reply = await system.post(workbook_attempt="7.1", prefer="wait=5")
        assert (reply.status, reply.body["status"]) == (200, "failed")
        assert "ZeroDivisionError" in reply.body["error"]
    page = await over(system, f"{system.run}-7-1")
    assert page["status"] == "failed"
    assert "ZeroDivisionError" in page["error"]
    await system.gateway.call("end")


async def test_an_attempt_sent_twice_is_one_job(system: System) -> None:
    """The attempt's name makes the second one a duplicate; it hears of the same end."""
    await system.begin()
    replies = [await system.post(workbook_attempt="1.1", prefer="wait=5") for _ in range(2)]
    await system.drained()
    assert [reply.status for reply in replies] == [200, 200]
    assert system.codes(Kind.DECIDED) == [Outcome.ADMITTED, Outcome.DUPLICATE]
    assert len(system.rows(Kind.STARTED)) == 1
    await system.gateway.call("end")


async def test_health(system: System) -> None:
    """It says how many are inside and what the limit is; HEAD says the same without a body."""
    reply = await ask(system.url, "GET", "/healthz")
    assert reply.status == 200
    assert reply.body.keys() == {"status", "depth", "limit"}
    assert (await ask(system.url, "HEAD", "/healthz")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("POST", "/jobs", {}, b"[1", 400),
        ("POST", "/jobs", {}, b"", 400),
        ("POST", "/jobs", {}, b"\xff\xfe", 400),
        ("POST", "/jobs", {}, b"[" * 60_000, 400),
        ("POST", "/jobs", {}, b'{"task": "work", "args": {"service_time_s": NaN}}', 400),
        ("POST", "/jobs", {"host": ""}, WORK, 400),
        ("POST", "/jobs", {"workbook-attempt": "1"}, WORK, 400),
        ("POST", "/jobs", {"workbook-attempt": "1.0"}, WORK, 400),
        ("POST", "/jobs", {"workbook-attempt": f"{2**30}.1"}, WORK, 400),
        ("POST", "/jobs", {"workbook-attempt": "1.65536"}, WORK, 400),
        ("POST", "/jobs", {"workbook-client": "-1"}, WORK, 400),
        ("POST", "/jobs", {"workbook-client": str(2**31)}, WORK, 400),
        ("POST", "/jobs", {}, b"[]", 422),
        ("POST", "/jobs", {}, b"{}", 422),
        ("POST", "/jobs", {}, order("nonsense"), 422),
        ("POST", "/jobs", {}, order(None), 422),
        ("POST", "/jobs", {}, order("work"), 422),
        ("POST", "/jobs", {}, order("work", service_time_s=-1), 422),
        ("POST", "/jobs", {}, order("work", service_time_s=61), 422),
        ("POST", "/jobs", {}, order("work", service_time_s="1"), 422),
        ("POST", "/jobs", {}, order("work", service_time_s=10**400), 422),
        ("POST", "/jobs", {}, order("work", service_time_s=1, colour="blue"), 422),
        ("POST", "/jobs", {"content-type": "text/plain"}, WORK, 415),
        ("POST", "/jobs", {"content-type": ""}, WORK, 415),
        ("POST", "/jobs", {"content-encoding": "gzip"}, WORK, 415),
        ("POST", "/jobs", {"content-length": ""}, b"", 411),
        ("POST", "/jobs", {}, b" " * (64 * 1024 + 1), 413),
        ("POST", "/jobs", {"content-length": "9" * 15}, b"", 413),
        ("POST", "/jobs", CHUNKED, chunks(*[b" " * 9000] * 8), 413),
        ("POST", "/jobs", {"cookie": "x" * (16 * 1024)}, WORK, 431),
        ("GET", "/" + "x" * (16 * 1024), {}, b"", 431),
        ("GET", "/healthz", {f"x-{n}": "y" for n in range(3000)}, b"", 431),
        ("GET", "/", {}, b"", 404),
        ("GET", "/jobs/no-such-job", {}, b"", 404),
        ("GET", "/jobs/" + "x" * 65, {}, b"", 404),
        ("GET", "/jobs/%2e%2e%2fetc", {}, b"", 404),
        ("GET", "/jobs/a/b", {}, b"", 404),
    ],
)
async def test_what_is_wrong_is_said(
    system: System, method: str, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    """Each mistake has its status, and every refusal is a problem body; the log stays empty."""
    assert (await ask(system.url, method, path, headers, body)).status == status
    assert system.log == ""


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/jobs", "POST"),
        ("DELETE", "/jobs", "POST"),
        ("POST", "/jobs/x", "GET, HEAD, DELETE"),
        ("PUT", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(system: System, method: str, path: str, allow: str) -> None:
    """405 comes with Allow."""
    reply = await ask(system.url, method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allow)


async def test_a_chunked_body_is_as_good_as_any(system: System) -> None:
    """Whatever the pieces; trailers are not taken for headers."""
    pieces = chunks(*(bytes([byte]) for byte in WORK)).removesuffix(b"\r\n") + b"Workbook-Attempt: nonsense\r\n\r\n"
    assert (await ask(system.url, "POST", "/jobs", CHUNKED, pieces)).status == 202


async def test_a_connection_carries_many_requests(system: System) -> None:
    """Answers come in the order of the requests, also when those did not wait for them."""
    async with talk(system.url) as line:
        line.send(request("POST", "/jobs", None, WORK) + request("GET", "/") + request("GET", "/healthz"))
        assert [reply.status for _ in range(3) if (reply := await line.reply())] == [202, 404, 200]
        assert (await line.ask("POST", "/jobs", None, WORK)).status == 202


async def test_a_job_of_another_queue_is_nobodys_business(system: System) -> None:
    """A shared server may hold other people's jobs; they are not shown."""
    redis: Redis = connect(system.redis.address)
    Queue("elsewhere", connection=redis, serializer=JSONSerializer).enqueue("operator.add", 1, 2, job_id="theirs")
    assert redis.exists("rq:job:theirs")
    assert (await ask(system.url, "GET", "/jobs/theirs")).status == 404
