"""Section b: post, reload, and the post is not there. Who misses it, and four ways to read one's own writes.

You are one of Chirp's people and follow yourself: your page is your own timeline, which the fan-out writes last.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx

from demo_workers.errors import LabError
from lessons import timelines
from lessons.check.claims import Claim, check
from lessons.trade_offs.lesson import PATIENCE_S, Lesson, ended, fill

FOLLOWERS = 5
YOU = FOLLOWERS
"""The number of your own timeline."""

THUMBNAILS, THUMBNAIL_S = 20, 0.05
"""A second of backlog for one worker."""

RELOAD_S = 0.2
"""A quick finger."""

POSTS = 4
OPEN = ("queued", "started")


class Reload(NamedTuple):
    """One post and the reload after it.

    Attributes:
        answered_s: how long the author waited for the answer to the post, seconds.
        here: whether the reloaded page had the post, in the browser that sent it.
        phone: whether the author's phone had it at that moment.
        asked: questions that one reload put to the servers.
        in_the_end: how often it stands on each timeline when all is done; yours is the last.
    """

    answered_s: float
    here: bool
    phone: bool
    asked: int
    in_the_end: tuple[int, ...]

    def __str__(self) -> str:
        here, phone = ("yes" if seen else "no" for seen in (self.here, self.phone))
        everywhere = "yes" if set(self.in_the_end) == {1} else f"{self.in_the_end}"
        return f"{self.answered_s:>9.3f} s{here:>10}{phone:>12}{self.asked:>11}{everywhere:>18}"


HEAD = f"{'answered':>11}{'reload':>10}{'on phone':>12}{'questions':>11}{'once everywhere':>18}"


class _Chirp:
    """One post on its way: the web server's part, and what a browser and a phone see."""

    def __init__(self, lesson: Lesson, http: httpx.AsyncClient) -> None:
        self._lesson, self._http = lesson, http
        self.text = f"hello {secrets.token_hex(4)}"
        self.entry = f"you: {self.text}"
        self.location = ""

    async def post(self, *, followers: int, headers: dict[str, str] | None = None) -> None:
        """Leave the fan-out to a worker."""
        args = {"post": self.text, "author": "you", "followers": followers, "write_ms": 0}
        answer = await self._http.post("/jobs", json={"task": "fan_out", "args": args}, headers=headers)
        if answer.status_code not in (200, 202):
            raise LabError(f"POST /jobs = {answer.status_code}: must be 200 or 202. {answer.text}")
        self.location = str(answer.headers["location"])

    async def own_write(self) -> None:
        """Put it on the author's own timeline, now."""
        await asyncio.to_thread(self._put)

    async def timeline(self, number: int) -> list[str]:
        """What stands on one timeline."""
        return await asyncio.to_thread(self._posts, number)

    async def pending(self) -> list[str]:
        """Posts of the author's that wait in the queue, or that a worker is at."""
        job = (await self._http.get(self.location)).json()
        return [self.entry] if job.get("status") in OPEN else []

    async def done(self) -> tuple[int, ...]:
        """Wait for the worker; how often the post stands on each timeline then."""
        await ended(self._http, [self.location])
        return tuple([(await self.timeline(n)).count(self.entry) for n in range(FOLLOWERS + 1)])

    def _put(self) -> None:
        with self._lesson.redis() as connection:
            timelines.put(connection, self._lesson.stack.queue, YOU, self.entry)

    def _posts(self, number: int) -> list[str]:
        with self._lesson.redis() as connection:
            return timelines.posts(connection, self._lesson.stack.queue, number)


Way = Callable[[_Chirp], Awaitable[tuple[float, bool, bool, int]]]
"""Post, reload a moment later: (seconds until the answer, seen here, seen on the phone, questions per reload)."""


async def _naive(chirp: _Chirp) -> tuple[float, bool, bool, int]:
    answered_s = await _timed(chirp.post(followers=FOLLOWERS + 1))
    await asyncio.sleep(RELOAD_S)
    seen = chirp.entry in await chirp.timeline(YOU)
    return answered_s, seen, seen, 1


async def _echo(chirp: _Chirp) -> tuple[float, bool, bool, int]:
    """The browser remembers what it sent, and shows it among what the server has."""
    sent = [chirp.entry]
    answered_s = await _timed(chirp.post(followers=FOLLOWERS + 1))
    await asyncio.sleep(RELOAD_S)
    stored = await chirp.timeline(YOU)
    return answered_s, chirp.entry in {*sent, *stored}, chirp.entry in stored, 1


async def _own_write(chirp: _Chirp) -> tuple[float, bool, bool, int]:
    """The web server writes the author's own timeline itself; the queue has the followers'."""

    async def handler() -> None:
        await chirp.own_write()
        await chirp.post(followers=FOLLOWERS)

    answered_s = await _timed(handler())
    await asyncio.sleep(RELOAD_S)
    seen = chirp.entry in await chirp.timeline(YOU)
    return answered_s, seen, seen, 1


async def _read_through(chirp: _Chirp) -> tuple[float, bool, bool, int]:
    """The page is the timeline and what the author still has in the queue."""
    answered_s = await _timed(chirp.post(followers=FOLLOWERS + 1))
    await asyncio.sleep(RELOAD_S)
    waiting = await chirp.pending()  # first, so that a post cannot slip through between the two questions
    seen = chirp.entry in {*waiting, *await chirp.timeline(YOU)}
    return answered_s, seen, seen, 2


async def _wait(chirp: _Chirp) -> tuple[float, bool, bool, int]:
    """The author is answered when the worker is done."""
    answered_s = await _timed(chirp.post(followers=FOLLOWERS + 1, headers={"Prefer": f"wait={PATIENCE_S}"}))
    await asyncio.sleep(RELOAD_S)
    seen = chirp.entry in await chirp.timeline(YOU)
    return answered_s, seen, seen, 1


async def _timed(something: Awaitable[object]) -> float:
    began = time.monotonic()
    await something
    return time.monotonic() - began


WAYS: dict[str, Way] = {
    "local echo": _echo,
    "own write": _own_write,
    "read-through": _read_through,
    "wait": _wait,
}


class Missed(NamedTuple):
    """Some posts and reloads, with an empty queue and with a second of backlog."""

    quiet: list[Reload]
    busy: list[Reload]

    def __str__(self) -> str:
        rows = (("empty queue:", self.quiet), ("a second of backlog:", self.busy))
        missed = {name: sum(not one.here for one in found) for name, found in rows}
        return "\n".join(f"{name:<21}{count} of {POSTS} missed their own post" for name, count in missed.items())


async def reload_after_post(lesson: Lesson) -> Missed:
    """Post four times and reload a moment later; with an empty queue, and behind other people's thumbnails."""
    async with lesson.http() as http:
        quiet = await _all(lesson, http, [_naive] * POSTS)
        await fill(http, THUMBNAILS, THUMBNAIL_S)
        return Missed(quiet, await _all(lesson, http, [_naive] * POSTS))


async def repair(lesson: Lesson) -> dict[str, Reload]:
    """Post and reload once in each of the four ways, all behind the same second of backlog."""
    async with lesson.http() as http:
        await fill(http, THUMBNAILS, THUMBNAIL_S)
        found = await _all(lesson, http, list(WAYS.values()))
    return dict(zip(WAYS, found, strict=True))


async def _all(lesson: Lesson, http: httpx.AsyncClient, ways: list[Way]) -> list[Reload]:
    return await asyncio.gather(*(_one(way, _Chirp(lesson, http)) for way in ways))


async def _one(way: Way, chirp: _Chirp) -> Reload:
    seen = await way(chirp)
    return Reload(*seen, in_the_end=await chirp.done())


def show_repairs(found: dict[str, Reload]) -> None:
    """What each way costs and gives."""
    print(f"{'':<14}{HEAD}")
    for name, one in found.items():
        print(f"{name:<14}{one}")


def check_missed(seen: Missed) -> None:
    """What section b says of the bug.

    Raises:
        ClaimError: it is not so.
    """
    check(
        Claim("behind a second of backlog everybody missed their own post", not any(one.here for one in seen.busy),
              repr(seen)),
        Claim("with an empty queue not everybody did, so a quick test says nothing",
              any(one.here for one in seen.quiet), repr(seen)),
        Claim("nothing was lost: in the end each post stands once on every timeline",
              all(set(one.in_the_end) == {1} for one in (*seen.quiet, *seen.busy)), repr(seen)),
    )  # fmt: skip


def check_repairs(found: dict[str, Reload]) -> None:
    """What section b says of the repairs.

    Raises:
        ClaimError: it is not so.
    """
    echo, own, through, wait = (found[name] for name in WAYS)
    others_s = max(one.answered_s for one in (echo, own, through))
    numbers = repr(found)
    check(
        Claim("with each repair the author finds the post on reloading", all(one.here for one in found.values()),
              numbers),
        Claim("the local echo is in one browser: the phone has nothing", not echo.phone, numbers),
        Claim("the other three show it on the phone too", own.phone and through.phone and wait.phone, numbers),
        Claim("reading through asks more with each reload", through.asked > max(echo.asked, own.asked), numbers),
        Claim("who waits, waits for other people's work as well", wait.answered_s > others_s, numbers),
        Claim("in the end each post stands once on every timeline",
              all(set(one.in_the_end) == {1} for one in found.values()), numbers),
    )  # fmt: skip
