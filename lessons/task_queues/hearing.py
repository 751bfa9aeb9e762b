"""Section a: after the 202 the client hears nothing until it asks. Three ways of asking, and a progress bar."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any, NamedTuple

import httpx
import ipywidgets as w

from demo_workers.errors import LabError
from demo_workers.queueing.reports import MONTHS
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.job_events import events
from lessons.show.view import show_widget
from lessons.task_queues.lesson import Lesson

POSTS, PAUSE_MS = 1000, 45.0
BROKEN_MONTH = 9
"""The report's table has a mistake in this month, so that its job crashes three quarters through."""

POLL_S = 0.3
ENDS = ("finished", "failed")


class Heard(NamedTuple):
    """What one client heard of the end of its job.

    Attributes:
        way: how it asked.
        requests: how many it sent, the first one included.
        status: what it was told last.
        late_s: from the job's end to hearing of it, seconds.
        news: what it was told on the way, in order.
    """

    way: str
    requests: int
    status: str
    late_s: float
    news: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.way:<12}{self.requests:>3} request(s), told {self.status!r} {self.late_s * 1000:.0f} ms after it"


class Crashed(NamedTuple):
    """A job that crashed after its 202, and who heard of it.

    Attributes:
        answer: the status of the answer to the order.
        heard: what the client who only ordered knew when the job had ended.
        in_redis: what RQ knew then.
        heards: the other clients, each with such a job of its own.
    """

    answer: int
    heard: str
    in_redis: str
    heards: tuple[Heard, ...]

    def __str__(self) -> str:
        first = f"only ordered: answer {self.answer}, told {self.heard!r} and no more; in Redis: {self.in_redis!r}"
        return "\n".join([first, *map(str, self.heards)])


async def crash_after_202(lesson: Lesson) -> Crashed:
    """Order four reports that will crash; one client only orders, the others ask in their three ways."""
    async with lesson.http() as http:
        ordered, *heards = await asyncio.gather(_only_order(lesson, http), _poll(http), _wait(http), _listen(http))
        return Crashed(*ordered, tuple(heards))


async def _only_order(lesson: Lesson, http: httpx.AsyncClient) -> tuple[int, str, str]:
    answer = await _order(http)
    key = f"rq:job:{answer.json()['id']}"
    status, deadline = b"", time.monotonic() + WAIT_S
    while status.decode() not in ENDS and time.monotonic() < deadline:
        status = await lesson.stack.connection.hget(key, "status") or b""
        await asyncio.sleep(0.02)
    return answer.status_code, answer.json()["status"], status.decode()


async def _poll(http: httpx.AsyncClient) -> Heard:
    location, requests = (await _order(http)).headers["location"], 1
    while True:
        await asyncio.sleep(POLL_S)
        job, requests = (await http.get(location)).json(), requests + 1
        if job["status"] in ENDS:
            told_at = time.time()
            return Heard("polling", requests, job["status"], told_at - await _ended_at(http, location))


async def _wait(http: httpx.AsyncClient) -> Heard:
    answer = await _order(http, {"Prefer": f"wait={WAIT_S:.0f}"})
    told_at = time.time()
    late_s = told_at - await _ended_at(http, answer.headers["location"])
    return Heard("long poll", 1, answer.json()["status"], late_s)


async def _listen(http: httpx.AsyncClient) -> Heard:
    location = (await _order(http)).headers["location"]
    news, told_at = [], 0.0
    async for name, _ in events(http, location):
        news.append(name)
        told_at = time.time()
    late_s = told_at - await _ended_at(http, location)
    return Heard("SSE", 2, news[-1], late_s, tuple(dict.fromkeys(news)))


async def _order(http: httpx.AsyncClient, headers: dict[str, str] | None = None, broken: int = BROKEN_MONTH) -> Any:
    args = {"posts": POSTS, "pause_ms": PAUSE_MS, "broken_month": broken}
    answer = await http.post("/jobs", json={"task": "report", "args": args}, headers=headers)
    if answer.status_code not in (200, 202):
        raise LabError(f"POST /jobs = {answer.status_code}: must be 200 or 202. {answer.text}")
    return answer


async def _ended_at(http: httpx.AsyncClient, location: str) -> float:
    """When a job ended (seconds since the epoch). Workers announce an end a moment before RQ has put it away."""
    while "ended_at" not in (job := (await http.get(location)).json()):
        await asyncio.sleep(0.01)
    return datetime.fromisoformat(job["ended_at"]).timestamp()


def check_heard(seen: Crashed) -> None:
    """What section a says of hearing.

    Raises:
        ClaimError: it is not so.
    """
    polling, waiting, listening = seen.heards
    check(
        Claim("the order was answered with 202 Accepted", seen.answer == 202, str(seen)),
        Claim("the job crashed, and whoever did not ask was told nothing of it",
              seen.in_redis == "failed" and seen.heard not in ENDS, str(seen)),
        Claim("whoever asks hears of the crash, each in its way", {one.status for one in seen.heards} == {"failed"},
              str(seen)),
        Claim("polling needed more requests than waiting or listening",
              polling.requests > max(waiting.requests, listening.requests), str(seen)),
        Claim("the stream told of progress before the end",
              "progress" in listening.news and listening.news[-1] == "failed", str(listening.news)),
    )  # fmt: skip


async def order_report(lesson: Lesson) -> list[str]:
    """Order a whole report and move a progress bar by what the gateway's stream tells; returns the stream's news."""
    bar = w.IntProgress(min=0, max=MONTHS, description="months", layout=w.Layout(width="30em"))
    said = w.HTML('<span role="status">ordered</span>')
    show_widget(w.HBox([bar, said]), "A progress bar: months of the report that are done.")
    news: list[str] = []
    async with lesson.http() as http:
        location = (await _order(http, broken=0)).headers["location"]
        async for name, data in events(http, location):
            progress = data.get("progress") or {}
            bar.value = MONTHS if name == "finished" else max(bar.value, int(progress.get("done", 0)))
            said.value = f'<span role="status">{name}, {bar.value} of {MONTHS} months</span>'
            news.append(f"{name} {progress['done']}" if name == "progress" else name)
    return news


def check_progress(news: list[str]) -> None:
    """What section a says of the bar.

    Raises:
        ClaimError: it is not so.
    """
    done = [int(one.split()[1]) for one in news if one.startswith("progress")]
    check(
        Claim("the stream ended with the report", news[-1:] == ["finished"], str(news)),
        Claim("on the way it told how far the work was, never backwards", len(done) > 1 and done == sorted(done),
              str(news)),
    )  # fmt: skip
