"""The tasks and what may be asked of them."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.charges import charge
from demo_workers.queueing.reports import report
from demo_workers.queueing.tasks import TASKS, UnknownTask, decode_args, fan_out, fan_out_into, work
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until

GOOD = {"post": "hello", "author": "ada", "followers": 3, "write_ms": 0}


def test_defaults_are_filled_in() -> None:
    """What RQ gets names every argument; bytes and mappings are read alike."""
    assert decode_args("work", b'{"service_time_s": 0.5}') == {"service_time_s": 0.5, "kind": "sleep"}
    assert decode_args("work", {"service_time_s": 0.5}) == {"service_time_s": 0.5, "kind": "sleep"}
    assert decode_args("fan_out", GOOD) == GOOD


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("work", {}),
        ("work", {"service_time_s": -0.001}),
        ("work", {"service_time_s": 60.001}),
        ("work", {"service_time_s": "1"}),
        ("work", {"service_time_s": None}),
        ("work", {"service_time_s": True}),
        ("work", {"service_time_s": 1, "kind": "nap"}),
        ("work", {"service_time_s": 1, "more": 1}),
        ("work", []),
        ("fan_out", GOOD | {"post": ""}),
        ("fan_out", GOOD | {"post": "x" * 281}),
        ("fan_out", GOOD | {"author": ""}),
        ("fan_out", GOOD | {"author": "x" * 41}),
        ("fan_out", GOOD | {"followers": 0}),
        ("fan_out", GOOD | {"followers": 5001}),
        ("fan_out", GOOD | {"followers": 1.5}),
        ("fan_out", GOOD | {"write_ms": 20.1}),
        ("fan_out", GOOD | {"write_ms": -1}),
    ],
)
def test_bad_arguments_are_refused(task: str, args: Any) -> None:
    """Out of bounds, of a wrong type, missing or unknown."""
    with pytest.raises(msgspec.ValidationError):
        decode_args(task, json.dumps(args).encode())


def test_what_is_no_json_is_refused() -> None:
    """Broken text and numbers that JSON does not have."""
    for raw in (b"", b"{", b'{"service_time_s": NaN}', b'{"service_time_s": 1e999}'):
        with pytest.raises(msgspec.DecodeError):
            decode_args("work", raw)


def test_an_unknown_task_is_named() -> None:
    """The error says what was asked for and what there is."""
    with pytest.raises(UnknownTask, match=r"'wrok'.*work, fan_out"):
        decode_args("wrok", b"{}")


def test_every_task_is_where_rq_looks_for_it() -> None:
    """The path of each names its function."""
    functions = {"work": work, "fan_out": fan_out, "report": report, "charge": charge}
    assert {name: task.path for name, task in TASKS.items()} == {
        name: f"{function.__module__}.{function.__qualname__}" for name, function in functions.items()
    }


@pytest.mark.parametrize(
    ("task", "args", "least_s"),
    [
        ("work", {"service_time_s": 60.0}, 60),
        ("work", {"service_time_s": 60.0, "kind": "cpu"}, 480),  # eight such jobs on one core
        ("fan_out", GOOD | {"followers": 5000, "write_ms": 20.0}, 5000 * 0.021),
        ("report", {"posts": 100_000, "pause_ms": 1000.0}, 12 * 1.2),
        ("charge", {"account": "ada", "cents": 500, "pause_ms": 5000.0}, 5),
    ],
)
def test_no_honest_job_is_timed_out(task: str, args: dict[str, Any], least_s: float) -> None:
    """The largest job that may be asked for has time enough, and a bound."""
    assert least_s + 10 < TASKS[task].timeout_s(decode_args(task, args)) < 700


def test_sleeping_takes_time_and_no_processor() -> None:
    """At least as long as asked, asleep."""
    began, busy = time.monotonic(), time.thread_time()
    work(0.1)
    assert time.monotonic() - began >= 0.1
    assert time.thread_time() - busy < 0.05


def test_burning_takes_that_much_processor_time() -> None:
    """What is asked for is processor time, however busy the machine."""
    busy = time.thread_time()
    work(0.1, kind="cpu")
    assert 0.1 <= time.thread_time() - busy < 0.15


def test_fan_out_outside_a_job_says_what_to_call() -> None:
    """A web handler has another way in."""
    with pytest.raises(LabError, match="fan_out_into"):
        fan_out("hello", "ada", 1)


@pytest.mark.live
async def test_a_post_reaches_every_timeline(place: Place) -> None:
    """At the top of each, which stays short and does not live for ever; progress is told every fifty."""
    told: list[int] = []
    for n in range(60):
        fan_out_into(place.rq, QUEUE, f"post {n}", "ada", 2, 0.0)
    result = fan_out_into(place.rq, QUEUE, "last", "bob", 120, 0.0, told.append)
    assert result["followers"] == 120
    assert told == [50, 100, 120]
    assert await place.redis.lindex(f"{QUEUE}:timeline:119", 0) == b"bob: last"
    assert await place.redis.lrange(f"{QUEUE}:timeline:0", 0, 1) == [b"bob: last", b"ada: post 59"]
    assert await place.redis.llen(f"{QUEUE}:timeline:0") == 50
    assert 0 < await place.redis.ttl(f"{QUEUE}:timeline:0") <= 600


@pytest.mark.live
async def test_a_worker_reports_progress_while_it_fans_out(place: Place) -> None:
    """The job's meta is seen growing before the job has ended; its result counts followers and seconds."""
    await place.worker()
    args = {"post": "hello", "author": "ada", "followers": 300, "write_ms": 2.0}
    await place.queue.enqueue("fan_out", args, job_id=f"{RUN}-1-1", limit=None)
    seen: set[int] = set()

    async def finished() -> bool:
        seen.add(place.job(1).get_meta().get("done", 0))
        return await place.told("finished", 1)

    await until(finished, 10)
    assert seen & {50, 100, 150, 200, 250}
    (said,) = [said for said in await place.announced() if said.kind == "finished"]
    assert json.loads(said.result)["followers"] == 300
    assert json.loads(said.result)["seconds"] >= 0.6
