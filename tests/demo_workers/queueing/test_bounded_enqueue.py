"""The door of the queue: exact, cheap to ask, and invisible to RQ."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

import pytest
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from demo_workers.queueing.bounded_enqueue import BoundedQueue, Decision
from demo_workers.queueing.tasks import TASKS
from demo_workers.records.events import Outcome
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until
from tests.demo_workers.services.processes import ROOT, environment

pytestmark = pytest.mark.live

VARIES = {b"created_at", b"enqueued_at"}
FAN_OUT = {"post": "Grüße, “Welt” \N{SMILING FACE WITH SMILING EYES}", "author": "ada", "followers": 7, "write_ms": 0.5}
EXAMPLES = [
    ("work", {"service_time_s": 0.05, "kind": "sleep"}),
    ("work", {"service_time_s": 60.0, "kind": "cpu"}),
    ("fan_out", FAN_OUT),
    ("fan_out", FAN_OUT | {"post": "x" * 280, "followers": 5000, "write_ms": 20.0}),
]


async def sixteen_producers(place: Place, limit: int, policy: str, processes: int = 16) -> list[Decision]:
    """All begun together; 800 tries."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "tests.demo_workers.queueing.producer"]
    common = {"address": place.address, "limit": limit, "policy": policy, "seed": random.randrange(10**6)}
    started = []
    for number in range(processes):
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment(), cwd=ROOT)
        assert process.stdin is not None
        config = common | {"number": number, "producers": 16 // processes}
        process.stdin.write(json.dumps(config).encode() + b"\n")
        started.append(process)
    for process in started:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in started))
    decisions = [Decision(Outcome(found), *rest) for out, _ in told for found, *rest in json.loads(out)]
    assert len(decisions) == 800
    return decisions


async def test_sixteen_producers_fill_exactly_the_limit(place: Place) -> None:
    """Of 800 tries by 16 processes, in batches, 50 get in, each at a depth of its own; counters and queue agree."""
    decisions = await sixteen_producers(place, 50, "fifo")
    admitted = sorted(depth for outcome, depth, *_ in decisions if outcome is Outcome.ADMITTED)
    assert admitted == list(range(1, 51))
    assert {depth for outcome, depth, *_ in decisions if outcome is Outcome.SHED} == {50}
    assert await place.queue.counters(RUN) == {"admitted": 50, "full": 750, "duplicate": 0, "dropped": 0}
    assert await place.queue.depth() == 50


async def test_sixteen_producers_that_displace_each_other_pass_no_limit(place: Place) -> None:
    """With drop_oldest all 800 get in, 750 leave for one that came later, and never are there more than 50."""
    decisions = await sixteen_producers(place, 50, "drop_oldest", processes=4)
    assert {outcome for outcome, *_ in decisions} == {Outcome.ADMITTED}
    assert max(depth for _, depth, *_ in decisions) == 50
    dropped = [job_id for *_, some in decisions for job_id in some]
    assert len(set(dropped)) == len(dropped) == 750
    assert sorted([*dropped, *place.stock.job_ids]) == sorted(job_id for *_, job_id, _ in decisions)
    assert await place.queue.counters(RUN) == {"admitted": 800, "full": 0, "duplicate": 0, "dropped": 750}
    assert sorted(await place.registry("canceled")) == sorted(dropped)


async def test_looking_before_pushing_lets_in_too_many(place: Place) -> None:
    """The naive way passes the limit with as many producers, says so by the depth, and counts itself."""
    # four begin in the same step of one process, whatever the others do: each of them sees three places
    decisions = await sixteen_producers(place, 3, "naive", processes=4)
    admitted = [depth for outcome, depth, *_ in decisions if outcome is Outcome.ADMITTED]
    assert len(admitted) > 3
    assert max(admitted) == await place.queue.depth() == len(admitted)
    counted = await place.queue.counters(RUN)
    assert counted == {"admitted": len(admitted), "full": 800 - len(admitted), "duplicate": 0, "dropped": 0}


async def test_the_limit_holds_while_workers_take_jobs(place: Place) -> None:
    """Waiting, popped and running jobs together never pass the limit, and it is reached."""
    await asyncio.gather(place.worker(), place.worker())
    decisions = []
    for round_ in range(40):
        some = [place.post(round_ * 10 + n, 0.002, limit=6) for n in range(10)]
        decisions += await asyncio.gather(*some)
        assert await place.queue.depth() <= 6
    depths = [depth for outcome, depth, *_ in decisions if outcome is Outcome.ADMITTED]
    assert max(depths) == 6
    assert {depth for outcome, depth, *_ in decisions if outcome is Outcome.SHED} <= {6}
    assert len(depths) > 12


async def test_a_job_that_is_being_registered_counts_once(place: Place) -> None:
    """Between popping and working RQ has it in two lists; it holds one slot, and no refusal tells of more."""
    await place.post(1, limit=2)
    await place.redis.lmove(place.stock.key, place.stock.intermediate_queue_key)
    assert await place.queue.depth() == 1
    await place.redis.zadd(f"rq:wip:{QUEUE}", {f"{RUN}-1-1:0123abcd": 2e9})
    assert await place.queue.depth() == 1
    assert (await place.post(2, limit=2))[:2] == (Outcome.ADMITTED, 2)
    assert (await place.post(3, limit=2))[:2] == (Outcome.SHED, 2)


async def test_a_changed_limit_acts_on_the_next_decision(place: Place) -> None:
    """Below what is inside nothing gets in, no limit lets in everything."""
    for request in range(5):
        assert (await place.post(request, limit=None))[:2] == (Outcome.ADMITTED, request + 1)
    assert (await place.post(5, limit=3))[:2] == (Outcome.SHED, 5)
    assert (await place.post(5, limit=6))[:2] == (Outcome.ADMITTED, 6)


@pytest.mark.parametrize("policy", ["fifo", "naive"])
async def test_a_second_job_of_the_same_id_is_a_duplicate(place: Place, policy: str) -> None:
    """It is told as such even where the queue is full, counted, and not run twice."""
    first, second = [await place.let_in(policy, "work", {"service_time_s": 0}, f"{RUN}-1-1", limit=1) for _ in range(2)]
    assert [decision[:2] for decision in (first, second)] == [(Outcome.ADMITTED, 1), (Outcome.DUPLICATE, 1)]
    assert await place.queue.counters(RUN) == {"admitted": 1, "full": 0, "duplicate": 1, "dropped": 0}
    assert place.stock.job_ids == [f"{RUN}-1-1"]


async def test_counters_are_kept_per_run_and_expire(place: Place) -> None:
    """Another run's counts are its own; the hash does not stay for ever."""
    await place.post(1)
    assert await place.queue.counters("ffffffff") == {"admitted": 0, "full": 0, "duplicate": 0, "dropped": 0}
    assert 0 < await place.redis.ttl(f"{QUEUE}:counters") <= 3600


@pytest.mark.parametrize("policy", ["fifo", "naive"])
@pytest.mark.parametrize("meta", [None, {"expires_at": 1764000000.123}])
@pytest.mark.parametrize(("task", "args"), EXAMPLES)
async def test_a_job_equals_one_that_rq_enqueues(
    place: Place, task: str, args: dict[str, Any], meta: dict[str, Any] | None, policy: str
) -> None:
    """Field by field, byte by byte, but for times and ids; nothing else in Redis differs either."""
    keep = {"result_ttl": 60, "failure_ttl": 60, "job_timeout": TASKS[task].timeout_s(args)}
    stock = place.stock.enqueue(TASKS[task].path, kwargs=args, meta=meta, job_id="stock", **keep)
    await place.redis.delete("rq:queues")
    stock = place.stock.enqueue(TASKS[task].path, kwargs=args, meta=meta, job_id="stock", **keep)
    assert await place.redis.smembers("rq:queues") == {place.stock.key.encode()}
    await place.redis.delete("rq:queues", place.stock.key)
    # another job before it: what is prepared once must not carry one job's values into the next
    others = {"work": {"service_time_s": 9.5, "kind": "cpu"}, "fan_out": FAN_OUT | {"author": "bob"}}
    await place.let_in(policy, task, others[task], f"{RUN}-0-1", expires_at=7.5)
    await place.let_in(policy, task, args, f"{RUN}-1-1", expires_at=(meta or {}).get("expires_at"))
    ours, theirs = await place.hash_of(f"{RUN}-1-1"), await place.hash_of(stock.id)
    assert {k: v for k, v in ours.items() if k not in VARIES} == {k: v for k, v in theirs.items() if k not in VARIES}
    assert ours.keys() == theirs.keys()
    assert await place.redis.smembers("rq:queues") == {place.stock.key.encode()}
    assert await place.redis.ttl(f"rq:job:{RUN}-1-1") == await place.redis.ttl("rq:job:stock") == -1
    assert place.stock.job_ids == [f"{RUN}-0-1", f"{RUN}-1-1"]


async def test_stock_rq_runs_and_inspects_our_jobs(place: Place) -> None:
    """The ``rq`` command fetches them, runs them and keeps their results as long as we said."""
    await place.post(1, 0.001)
    await place.queue.enqueue("fan_out", FAN_OUT, job_id=f"{RUN}-2-1", limit=None)
    seen = place.job(1)
    assert (seen.get_status(), seen.func_name, seen.timeout) == (JobStatus.QUEUED, TASKS["work"].path, 31)
    assert seen.get_position() == 0
    simple = ["--worker-class", "rq.SimpleWorker", "--serializer", "rq.serializers.JSONSerializer"]
    rq = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rq.cli", "worker", "--burst", "--quiet", *simple, QUEUE,
        env=environment() | {"RQ_REDIS_URL": place.url}, cwd=ROOT,
    )  # fmt: skip
    assert await asyncio.wait_for(rq.wait(), 20) == 0
    assert sorted(await place.registry("finished")) == [f"{RUN}-1-1", f"{RUN}-2-1"]
    result: Any = place.job(2).return_value()
    assert result["followers"] == 7
    assert place.job(2).get_meta() == {"done": 7, "total": 7}
    assert 0 < await place.redis.ttl(f"rq:job:{RUN}-2-1") <= 60
    assert await place.redis.lrange(f"{QUEUE}:timeline:6", 0, -1) == [f"ada: {FAN_OUT['post']}".encode()]


async def test_waiting_jobs_of_a_run_are_cancelled_as_rq_cancels(place: Place) -> None:
    """The run's own, in one step; others keep their order, running ones run on, and RQ sees them as canceled."""
    await place.worker()
    await place.post(0, 0.4)
    await until(lambda: place.told("started", 0))
    other = "ffff0000"
    for request in range(1, 4):
        await place.post(request)
        await place.queue.enqueue("work", {"service_time_s": 0.2}, job_id=f"{other}-{request}-1", limit=None)
    assert await place.queue.cancel_waiting(RUN) == [f"{RUN}-{n}-1" for n in (1, 2, 3)]
    assert place.stock.job_ids == [f"{other}-{n}-1" for n in (1, 2, 3)]
    assert await place.queue.cancel_waiting(RUN) == []
    assert place.job(1).is_canceled
    assert place.stock.canceled_job_registry.get_job_ids() == [f"{RUN}-{n}-1" for n in (1, 2, 3)]
    assert 0 < await place.redis.ttl(f"rq:job:{RUN}-1-1") <= 60
    await until(lambda: place.told("finished", 0))
    # and it has every field that a job canceled by RQ itself has
    stock = Job.fetch(f"{other}-3-1", connection=place.rq, serializer=JSONSerializer)
    stock.cancel()
    theirs = await place.hash_of(stock.id)
    assert (await place.hash_of(f"{RUN}-1-1")).keys() == theirs.keys()


async def test_old_cancelled_jobs_are_forgotten(place: Place) -> None:
    """RQ never tidies that registry, so each cancelling does."""
    queue = BoundedQueue(place.redis, QUEUE)
    await place.redis.zadd(f"rq:canceled:{QUEUE}", {"long-ago": 1})
    await place.post(1)
    assert await queue.cancel_waiting(RUN) == [f"{RUN}-1-1"]
    assert await place.registry("canceled") == [f"{RUN}-1-1"]


async def test_a_worker_takes_jobs_in_the_order_they_were_let_in(place: Place) -> None:
    """First in, first out, each once."""
    for request in range(20):
        await place.post(request)
    await place.worker()
    await until(lambda: place.told("finished", 19))
    started = [said.job_id for said in await place.announced() if said.kind == "started"]
    assert started == [f"{RUN}-{n}-1" for n in range(20)]
    assert set(Counter(started).values()) == {1}
