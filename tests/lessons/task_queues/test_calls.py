"""Section a: a task is a call with its data, held in keys that can be looked at; each check can fail."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import redis as client

from demo_workers.services.servers.redis_server import URL
from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_by_hand, check_snapshot, check_states, show_states
from lessons.task_queues.by_hand import ByHand
from lessons.task_queues.snapshot import NEW, OLD, Delivered
from lessons.task_queues.states import Journey, Look


def enqueue(redis: client.Redis, task: str, **args: Any) -> str:
    """As in the notebook."""
    job_id = uuid.uuid4().hex
    redis.set(f"job:{job_id}", json.dumps({"status": "queued"}), ex=600)
    redis.rpush("tasks", json.dumps([job_id, task, args]))
    return job_id


def status(redis: client.Redis, job_id: str) -> dict[str, Any]:
    """As in the notebook."""
    stored: Any = redis.get(f"job:{job_id}")
    return dict(json.loads(stored))


def work(redis: client.Redis) -> None:
    """As in the notebook, in short."""
    tasks = {"add": lambda a, b: a + b, "shout": str.upper, "divide": lambda a, b: a / b}
    while order := redis.blpop(["tasks"], timeout=0.1):
        job_id, task, args = json.loads(order[1])
        try:
            said = {"status": "finished", "result": tasks[task](*args.values())}
        except Exception as error:
            said = {"status": "failed", "error": repr(error)}
        redis.set(f"job:{job_id}", json.dumps(said), ex=600)


@pytest.mark.live
async def test_thirty_lines_are_a_task_queue(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice, for nothing of the first time may be in the way; the lines hold no digit."""
    for _ in range(2):
        seen = await task_queues.run_by_hand(lesson, enqueue, status, work)
        capsys.readouterr()
        check_by_hand(seen)
        assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert "shout(text='hello')" in str(seen)


@pytest.mark.live
async def test_a_worker_that_does_nothing_is_found_out(lesson: Lesson) -> None:
    """A reader's own worker may be wrong; the check says so."""
    with pytest.raises(ClaimError, match="two were finished"):
        check_by_hand(await task_queues.run_by_hand(lesson, enqueue, status, lambda redis: None))


@pytest.mark.live
async def test_jobs_go_through_rqs_own_keys(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Queue, work in progress, finished or failed, as the notebook draws them."""
    journeys = await task_queues.watch_jobs(lesson)
    check_states(journeys)
    show_states(journeys)
    assert "✗" not in capsys.readouterr().out
    first, second = journeys
    assert second.since("started") >= first.since("finished") - 0.05, "one worker does one job at a time"


@pytest.mark.live
async def test_arguments_are_a_snapshot_and_names_are_not(lesson: Lesson) -> None:
    """Old text by value, new text by name, none of what was deleted."""
    check_snapshot(await task_queues.edit_after_enqueueing(lesson))


@pytest.mark.live
async def test_the_chapter_never_uses_a_server_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are killed here; whatever ``WORKBOOK_REDIS_URL`` names is left alone."""
    monkeypatch.setenv(URL, "redis://127.0.0.1:1/0")
    lesson = await task_queues.open_lesson()
    try:
        assert await lesson.stack.connection.ping()
    finally:
        await lesson.close()


QUEUED, STARTED = Look(0.0, "queued", ("rq:queue",)), Look(0.5, "started", ("rq:wip",))
FINISHED, FAILED = Look(0.7, "finished", ("rq:finished",)), Look(0.7, "failed", ("rq:failed",))
GOOD, BAD = Journey("a", (QUEUED, STARTED, FINISHED)), Journey("b", (QUEUED, STARTED, FAILED))

BAD_STATES = {
    "the first job was": [Journey("a", (QUEUED, STARTED, FAILED)), BAD],
    "the second one was": [GOOD, Journey("b", (QUEUED, STARTED, FINISHED))],
    "while a job waited": [Journey("a", (Look(0.0, "queued", ()), STARTED, FINISHED)), BAD],
    "while it ran": [Journey("a", (QUEUED, Look(0.5, "started", ("rq:queue",)), FINISHED)), BAD],
    "afterwards": [Journey("a", (QUEUED, STARTED, Look(0.7, "finished", ("rq:finished", "rq:wip")))), BAD],
}

BAD_TEXTS = {
    "passed by value": Delivered(NEW, NEW, ""),
    "passed by name": Delivered(OLD, OLD, ""),
    "deleted meanwhile": Delivered(OLD, NEW, OLD),
}

WAITED = [{"status": "queued"}] * 3
DONE: list[dict[str, Any]] = [
    {"status": "finished", "result": 5},
    {"status": "finished", "result": "HELLO"},
    {"status": "failed", "error": "ZeroDivisionError('division by zero')"},
]

BAD_QUEUES = {
    "all three tasks waited": ByHand(["a", "b", "c"], 2, WAITED, DONE, 0),
    "two were finished": ByHand(["a", "b", "c"], 3, WAITED, [DONE[1], DONE[0], DONE[2]], 0),
    "cannot be done failed": ByHand(["a", "b", "c"], 3, WAITED, [*DONE[:2], {"status": "failed"}], 0),
    "the list is empty": ByHand(["a", "b", "c"], 3, WAITED, DONE, 1),
}


def test_true_looks_pass() -> None:
    """As they are on an idle machine."""
    check_states([GOOD, BAD])
    check_snapshot(Delivered(OLD, NEW, ""))
    check_by_hand(ByHand(["a", "b", "c"], 3, WAITED, DONE, 0))


@pytest.mark.parametrize("claim", BAD_STATES)
def test_each_claim_about_states_can_fail(claim: str) -> None:
    """By one look that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_states(BAD_STATES[claim])


@pytest.mark.parametrize("claim", BAD_TEXTS)
def test_each_claim_about_arguments_can_fail(claim: str) -> None:
    """By one text that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_snapshot(BAD_TEXTS[claim])


@pytest.mark.parametrize("claim", BAD_QUEUES)
def test_each_claim_about_the_thirty_lines_can_fail(claim: str) -> None:
    """By one thing that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_by_hand(BAD_QUEUES[claim])
