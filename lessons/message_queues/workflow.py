"""Section a: publish, tell the user, work, signal completion: four moments of a post, inline and through a queue."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from math import isnan
from statistics import median
from typing import Any, NamedTuple

import httpx
from IPython.display import display

from demo_workers.errors import LabError
from lessons import job_events, timelines
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.message_queues.lesson import Lesson
from lessons.show import lanes, style
from lessons.show.lanes import Event, Span

FOLLOWERS, WRITE_MS = 300, 1.2
"""The pause of a timeline database in another building, added to each write and said to the reader."""
FEW, REPEATS = 3, 12
LOOK_S = 0.001
SAME_S = 0.001
"""RQ's times are on another clock than ours."""
INLINE, QUEUED = "inline", "through a queue"

LOOKS = {
    "published": ("o", style.BLUE, 9, "1 published"),
    "told": ("*", style.GREEN, 13, "2 the author is told"),
    "begun": ("^", style.ORANGE, 9, "3 a worker begins"),
    "signalled": ("s", style.INK, 8, "4 completion is signalled"),
}


class Moments(NamedTuple):
    """One post; times in seconds since it was sent, NaN for what did not happen.

    Attributes:
        way: ``inline`` or ``through a queue``.
        told: the author has an answer.
        begun: a worker begins.
        signalled: whoever listens hears that it is done.
        first: the first follower has the post.
        last: the last one has it.
        reached: followers who have it in the end.
        followers: how many there are.
    """

    way: str
    told: float
    begun: float
    signalled: float
    first: float
    last: float
    reached: int
    followers: int

    @property
    def four(self) -> str:
        """The four moments in milliseconds."""
        told, begun, signalled = (f"{t * 1000:.0f} ms" for t in (self.told, self.begun, self.signalled))
        return f"published 0 ms · author told {told} · worker begins {begun} · completion signalled {signalled}"

    def __str__(self) -> str:
        reached = f"followers had it from {self.first:.3f} to {self.last:.2f} s"
        return f"{self.way:<16} author told after {self.told:.3f} s; {reached}"


class Compared(NamedTuple):
    """Both ways: one long post each, and several short ones for the question of who sees it earlier.

    Attributes:
        inline: the long post without a queue.
        queued: the same with one.
        inline_first_s: until the first follower had each short post, without a queue.
        queued_first_s: the same with one.
    """

    inline: Moments
    queued: Moments
    inline_first_s: Sequence[float]
    queued_first_s: Sequence[float]

    @property
    def later_ms(self) -> float:
        """How much later the first follower has a short post with a queue: between the medians, milliseconds."""
        return (median(self.queued_first_s) - median(self.inline_first_s)) * 1000

    def __str__(self) -> str:
        return (
            f"{self.inline}\n{self.queued}\n{'':<16} {self.queued.four}\n"
            f"of {len(self.queued_first_s)} short posts each, the median first follower: {self.later_ms:.1f} ms later"
        )


async def follow_posts(lesson: Lesson) -> Compared:
    """Send the same kinds of post both ways, and look at the timelines in Redis meanwhile."""
    async with lesson.http() as http:
        await _post(lesson, http, INLINE, FEW), await _post(lesson, http, QUEUED, FEW)  # first times are special
        short: dict[str, list[float]] = {INLINE: [], QUEUED: []}
        for _ in range(REPEATS):
            for way, firsts in short.items():
                firsts.append((await _post(lesson, http, way, FEW)).first)
        inline, queued = [await _post(lesson, http, way, FOLLOWERS) for way in (INLINE, QUEUED)]
        return Compared(inline, queued, short[INLINE], short[QUEUED])


async def _post(lesson: Lesson, http: httpx.AsyncClient, way: str, followers: int) -> Moments:
    text = f"post {secrets.token_hex(4)}"
    args = {"post": text, "author": "you", "followers": followers, "write_ms": WRITE_MS}
    began, wall = time.monotonic(), time.time()
    looking = asyncio.create_task(asyncio.to_thread(_look, lesson, text, followers, began))
    try:
        answer = await http.post("/sync" if way == INLINE else "/jobs", json={"task": "fan_out", "args": args})
        told = time.monotonic() - began
        if answer.status_code != (200 if way == INLINE else 202):
            raise LabError(f"post = {answer.status_code}: must be 200 or 202. {answer.text}")
        begun = signalled = float("nan")
        if way == QUEUED:
            location = answer.headers["location"]
            await job_events.end(http, location)
            signalled = time.monotonic() - began
            begun = datetime.fromisoformat((await _record(http, location))["started_at"]).timestamp() - wall
    finally:
        first, last, reached = await looking
    return Moments(way, told, begun, signalled, first, last, reached, followers)


def _look(lesson: Lesson, text: str, followers: int, began: float) -> tuple[float, float, int]:
    """When the first follower had a post, when the last one had it, and how many have it."""
    queue, first, reached = lesson.stack.queue, float("nan"), 0
    with lesson.redis() as connection:
        while reached < followers and time.monotonic() - began < WAIT_S:
            if isnan(first) and timelines.with_post(connection, queue, text, 1):
                first = time.monotonic() - began
            reached = timelines.with_post(connection, queue, text, followers) if not isnan(first) else 0
            if reached < followers:
                time.sleep(LOOK_S if followers == FEW else 10 * LOOK_S)
        return first, time.monotonic() - began, reached


async def _record(http: httpx.AsyncClient, location: str) -> dict[str, Any]:
    job: dict[str, Any] = {}
    while "ended_at" not in job:  # a worker announces an end a moment before RQ has put the job away
        job = (await http.get(location)).json()
        await asyncio.sleep(LOOK_S)
    return job


def show_moments(seen: Compared) -> None:
    """The moments of both long posts on one time line."""
    both = (seen.inline, seen.queued)
    events = [Event(one.way, "published", 0.0) for one in both]
    events += [
        Event(one.way, kind, getattr(one, kind))
        for one in both
        for kind in ("told", "begun", "signalled")
        if not isnan(getattr(one, kind))
    ]
    waiting = [Span(one.way, 0.0, one.told, "the author waits for") for one in both]
    title = f"The author waits {seen.inline.told:.2f} s or {seen.queued.told:.3f} s; the work takes as long"
    display(lanes.lanes(title, [INLINE, QUEUED], events, waiting, LOOKS))


def check_moments(seen: Compared) -> None:
    """What section a says.

    Raises:
        ClaimError: it is not so.
    """
    inline, queued, numbers = seen.inline, seen.queued, repr(seen)
    check(
        Claim("inline, the author was told when the last follower had the post", inline.told > 0.9 * inline.last,
              numbers),
        Claim("with a queue, the author was told in less than a fifth of that", queued.told < inline.told / 5, numbers),
        Claim("completion was signalled last, after the author was told and after a worker had begun",
              0 < queued.told < queued.signalled and 0 < queued.begun < queued.signalled, numbers),
        Claim("both times every follower got the post", all(one.reached == one.followers for one in (inline, queued)),
              numbers),
        Claim("with a queue no follower had it before a worker had taken it", queued.first > queued.begun - SAME_S,
              numbers),
        Claim("followers gained nothing: the work took about as long", queued.last > 0.6 * inline.last, numbers),
    )  # fmt: skip
