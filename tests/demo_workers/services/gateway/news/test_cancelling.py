from __future__ import annotations

import asyncio
import contextlib
import json
import random

import pytest
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.queueing.connection import connect
from demo_workers.records.events import Kind, Outcome, Result
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from tests.demo_workers.services.gateway.system import System, until
from tests.demo_workers.services.gateway.talk import ask, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


async def test_a_waiting_job_is_cancelled(idle: System) -> None:
    """It leaves the queue, RQ has it among its cancelled ones, the record says so, and whoever waits hears 503."""
    poll = asyncio.create_task(idle.post(workbook_attempt="1.1", prefer="wait=30"))
    await until(lambda: len(idle.rows(Kind.DECIDED)))
    job_id = f"{idle.run}-1-1"
    reply = await ask(idle.url, "DELETE", f"/jobs/{job_id}")
    assert (reply.status, reply.body) == (200, {"id": job_id, "status": "canceled"})
    assert (await poll).status == 503
    with connect(idle.redis.address) as redis:
        queue = Queue(idle.queue, connection=redis, serializer=JSONSerializer)
        assert (queue.job_ids, queue.canceled_job_registry.get_job_ids()) == ([], [job_id])
        job = Job.fetch(job_id, connection=redis, serializer=JSONSerializer)
        assert job.get_status() == JobStatus.CANCELED
        assert 0 < redis.ttl(Job.key_for(job_id)) <= 60
    assert idle.codes(Kind.ENDED) == [Result.CANCELLED]
    left = await idle.gateway.call("outstanding")
    assert (left["waiting"], left["running"]) == (0, 0)
    counts = await idle.gateway.call("end")
    assert (counts["admitted"], counts["cancelled"]) == (1, 1)


async def test_cancelling_twice_is_no_mistake(idle: System) -> None:
    """The answer to the first may have been lost; the job was cancelled once."""
    job_id = (await idle.post(workbook_attempt="1.1")).body["id"]
    replies = [await ask(idle.url, "DELETE", f"/jobs/{job_id}") for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert (await idle.gateway.call("end"))["cancelled"] == 1


async def test_a_place_that_was_cancelled_is_free(idle: System) -> None:
    """The next one is let in at once, though "full" was said a moment ago."""
    await idle.steer(limit=1)
    job_id = (await idle.post()).body["id"]
    assert (await idle.post()).status == 503
    assert (await ask(idle.url, "DELETE", f"/jobs/{job_id}")).status == 200
    assert (await idle.post()).status == 202


async def test_what_runs_or_is_over_stays(system: System) -> None:
    """409 says what it is; the job goes on."""
    await system.begin()
    running = asyncio.create_task(system.post(0.5, workbook_attempt="1.1", prefer="wait=5"))
    await until(lambda: len(system.rows(Kind.STARTED)))
    path = f"/jobs/{system.run}-1-1"
    refused = await ask(system.url, "DELETE", path)
    assert (refused.status, refused.body["job_status"]) == (409, "started")
    assert (await running).body["status"] == "finished"
    await system.drained_of(f"{system.run}-1-1")
    refused = await ask(system.url, "DELETE", path)
    assert (refused.status, refused.body["job_status"]) == (409, "finished")
    assert system.codes(Kind.ENDED) == [Result.OK]
    await system.gateway.call("end")


async def test_what_is_not_here_cannot_be_cancelled(idle: System) -> None:
    """Unknown jobs, and those of other people's queues."""
    with connect(idle.redis.address) as redis:
        theirs = Queue("elsewhere", connection=redis, serializer=JSONSerializer)
        theirs.enqueue("operator.add", 1, 2, job_id="theirs")
        for job_id in ("theirs", "nobodys"):
            assert (await ask(idle.url, "DELETE", f"/jobs/{job_id}")).status == 404
        assert theirs.job_ids == ["theirs"]


async def test_between_worker_and_client_one_wins(system: System) -> None:
    """However close the race: each job ran or was cancelled, never both and never neither, and its poster knows."""
    await system.begin()
    names = [f"{n}.1" for n in range(1, 121)]

    async def race(name: str) -> tuple[int, int]:
        poll = asyncio.create_task(system.post(random.choice([0.0, 0.001]), workbook_attempt=name, prefer="wait=20"))
        await asyncio.sleep(random.random() * 0.5)
        job_id = f"{system.run}-{name.replace('.', '-')}"
        cancelled = await ask(system.url, "DELETE", f"/jobs/{job_id}")
        return cancelled.status, (await poll).status

    ends = await asyncio.gather(*map(race, names))
    await system.drained()
    # 404: the client was quicker than its own job
    assert set(ends) <= {(200, 503), (409, 200), (404, 200)}
    counts = await system.gateway.call("end")
    assert (counts["cancelled"], counts["finished"]) == (ends.count((200, 503)), len(ends) - ends.count((200, 503)))
    assert min(counts["cancelled"], counts["finished"]) > 0
    ended = system.rows(Kind.ENDED)
    assert sorted(ended["request"].tolist()) == list(range(1, 121))
    assert set(system.rows(Kind.STARTED)["request"]).isdisjoint(ended["request"][ended["code"] == Result.CANCELLED])
    assert system.log == ""


@pytest.mark.asyncio(loop_scope="function")
async def test_the_books_balance_though_jobs_are_cancelled_all_the_time() -> None:
    """Half of what is let in is cancelled as soon as it is heard of: ledger, RQ's registry and clients still agree."""
    load = Load(kind="poisson", arrival_rate=60, duration_s=1.5)
    admission, retry = Admission(limit=20), Retry(policy="full", attempts=3, timeout_s=2)
    service = Service(service_time_s=0.03, workers=2)
    scenario = Scenario(load=load, service=service, admission=admission, retry=retry, seed=random.randrange(10**6))
    stack, cancelled = Stack("cancelling"), 0
    try:
        live = await stack.begin(scenario)
        run_id = json.loads((live.directory / "manifest.json").read_text())["run"]
        over = asyncio.create_task(live.finished())
        async with talk(stack.url) as line:
            while not over.done():
                rows = live.poll()
                for row in rows[(rows["kind"] == Kind.DECIDED) & (rows["code"] == Outcome.ADMITTED)]:
                    if row["request"] % 2:
                        reply = await line.ask("DELETE", f"/jobs/{run_id}-{row['request']}-{row['attempt']}")
                        assert reply.status in (200, 409)
                        cancelled += reply.status == 200
                await asyncio.sleep(0.005)
        with contextlib.suppress(LoadGeneratorLagging):
            await over
        run = live.run
        assert run is not None
    finally:
        await stack.stop()
    assert run.ledger.balanced, run.ledger.table()
    assert run.ledger.invariants["rq_cancelled"]
    assert run.ledger.counts["cancelled"] >= cancelled > 0
