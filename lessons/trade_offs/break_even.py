"""Section a: the same work inline, through a queue with waiting, and through a queue without. Where do they cross?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from statistics import median

import httpx
from IPython.display import display

from lessons.check.claims import Claim, check
from lessons.show import charts, style
from lessons.trade_offs.lesson import LIKE_S, Answers, Lesson, accepted, ended, inline, queued

ROUNDS: Mapping[float, int] = {LIKE_S: 20, 0.001: 15, 0.01: 8, 0.1: 3, 2.0: 1}
"""Seconds of work, and how often each is asked for."""

FEW = 3
LONG_S = 0.05
"""From here on the three ways are taken side by side: the work sleeps, so they are not in each other's way."""

SETTLE_S = 0.005
"""A worker that has just answered is still putting the last job away."""

HEAD_START_S = 0.02
NOTICED = 1.1
"""A difference of a tenth is more than chance."""
TOGETHER = 1.25


async def measure(lesson: Lesson, rounds: Mapping[float, int] = ROUNDS) -> list[Answers]:
    """Ask for each kind of work in the three ways, one caller, one worker, nothing else in the queue.

    Args:
        lesson: has the gateway.
        rounds: seconds of work → how often.
    """
    async with lesson.http() as http:
        for _ in range(FEW):
            await _round(http, LIKE_S)  # first times are special
        found = [await _point(http, work_s, count) for work_s, count in rounds.items()]
    lesson.like = next((point for point in found if point.work_s == LIKE_S), lesson.like)
    return found


async def a_like(lesson: Lesson) -> Answers:
    """What section a has measured of a like; where it has not run, it is measured now."""
    if lesson.like is None:
        await measure(lesson, {LIKE_S: ROUNDS[LIKE_S]})
    assert lesson.like is not None
    return lesson.like


async def _point(http: httpx.AsyncClient, work_s: float, count: int) -> Answers:
    """The lower quartile of each: another program on the cores can only add to a time."""
    one = _side_by_side if work_s >= LONG_S else _round
    found = [await one(http, work_s) for _ in range(count)]
    return Answers(work_s, *(sorted(column)[count // 4] for column in list(zip(*found, strict=True))[1:]))


async def _round(http: httpx.AsyncClient, work_s: float) -> Answers:
    """One after the other; the worker is idle each time."""
    inline_s = await inline(http, work_s)
    queued_s = await queued(http, work_s)
    await asyncio.sleep(SETTLE_S)
    accepted_s, location = await accepted(http, work_s)
    await ended(http, [location])
    await asyncio.sleep(SETTLE_S)
    return Answers(work_s, inline_s, queued_s, accepted_s)


async def _side_by_side(http: httpx.AsyncClient, work_s: float) -> Answers:
    inline_s, queued_s, accepted_s = await asyncio.gather(
        inline(http, work_s), queued(http, work_s), _accepted_behind(http, work_s)
    )
    return Answers(work_s, inline_s, queued_s, accepted_s)


async def _accepted_behind(http: httpx.AsyncClient, work_s: float) -> float:
    """A 202 for work that need not be done: it is taken out of the queue again, for the worker is busy."""
    await asyncio.sleep(HEAD_START_S)
    accepted_s, location = await accepted(http, work_s)
    if (await http.delete(location)).status_code != 200:
        await ended(http, [location])
    return accepted_s


def break_even_s(points: Sequence[Answers]) -> float:
    """From how much work on a caller who goes on after the 202 has gained time (seconds); 0 is any work at all.

    Inline takes the work and a little more, the 202 takes the same whatever the work: they cross where the work is as
    long as the difference.
    """
    short = [point for point in points if point.work_s < LONG_S] or list(points)
    more_s = median(point.inline_s - point.work_s for point in short)
    return max(0.0, median(point.accepted_s for point in short) - more_s)


def show_break_even(points: Sequence[Answers]) -> None:
    """The three curves and a table of them."""
    works = [point.work_s for point in points]
    layers = [
        charts.line("inline, by the web server", works, [point.inline_s for point in points], style.LIVE, "D"),
        charts.line("through the queue, waiting", works, [point.queued_s for point in points], style.P95, "o"),
        charts.line("through the queue, until the 202", works, [point.accepted_s for point in points], style.IN_TIME,
                    "^"),
    ]  # fmt: skip
    title = "Who waits for the queue never gains; who goes on after the 202 saves the work"
    ticks = {work_s: _work(work_s) for work_s in works}
    picture = charts.chart(
        title, layers, x="the work itself", y="seconds until an answer", log_x=True, log_y=True, ticks=ticks
    )
    display(picture)
    print(f"{'work':>8}{'inline':>10}{'queue, wait':>14}{'queue / inline':>17}{'share of queue':>17}{'202':>10}")
    for point in points:
        times = f"{_work(point.work_s):>8}{_time(point.inline_s):>10}{_time(point.queued_s):>14}"
        share = max(0.0, point.share)  # of two seconds a queue's share is less than chance
        print(f"{times}{point.ratio:>17.2f}{share:>17.1%}{_time(point.accepted_s):>10}")
    even_s = break_even_s(points)
    found = f"about {_time(even_s)}" if even_s >= LIKE_S else "less than a like's"
    print(f"\nthe 202 comes sooner than the inline answer where the work is longer than {found}")


def slower(points: Sequence[Answers]) -> str:
    """What the prediction was about, in a phrase."""
    return f"{points[0].ratio:.1f} times as late ({_time(points[0].queued_s)} against {_time(points[0].inline_s)})"


def later(points: Sequence[Answers]) -> str:
    """The same of the longest work."""
    longest = points[-1]
    return f"{_time(longest.queued_s)} against {_time(longest.inline_s)}"


def check_break_even(points: Sequence[Answers]) -> None:
    """What section a says of the curve.

    Raises:
        ClaimError: it is not so.
    """
    numbers, like, longest = repr(list(points)), points[0], points[-1]
    check(
        Claim("a like is answered later through the queue than inline", like.queued_s > like.inline_s, numbers),
        Claim("whatever the work, one caller who waits gains nothing by the queue",
              all(NOTICED * point.queued_s > point.inline_s for point in points), numbers),
        Claim("the longer the work, the less it matters: the two answers come together",
              longest.ratio < min(like.ratio, TOGETHER), numbers),
        Claim("the work of the longest is done by then, of both", longest.work_s <= longest.inline_s, numbers),
        Claim("the 202 does not wait for the work: of the longest it comes in less than a quarter of the time",
              longest.accepted_s < longest.work_s / 4, numbers),
        Claim("so for long work the 202 comes long before the inline answer",
              all(point.accepted_s < point.inline_s for point in points if point.work_s >= LONG_S), numbers),
    )  # fmt: skip


def _work(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3f} s"
    return f"{1000 * seconds:.{0 if seconds >= 0.01 else 1}f} ms"
