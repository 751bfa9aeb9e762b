"""Section c: one freeze, seen by a tester who waits for each answer and by users who do not wait for each other."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from IPython.display import display

from demo_workers.errors import LabError
from lessons.check.claims import Claim, check
from lessons.show import charts, style
from lessons.trade_offs.lesson import LIKE_S, Lesson, queued

FREEZE_S, FULL_S = 1.5, 3.0
"""How long the worker stands still: what Run All plays, and the whole experience."""

USERS_RATE = 10.0
CALM = 40
"""The tester has so many answers before the freeze."""

LONGEST_TEST_S = 45.0
LOOK_S = 0.005
ONE_IN = 100

Send = Callable[[], Awaitable[object]]
Tester = Callable[[Send, list[float]], Awaitable[object]]


class Seen(NamedTuple):
    """Two accounts of the same seconds; latencies in seconds, in the order of sending.

    Attributes:
        tester: from sending to the answer, as the tester wrote them down.
        users: from the moment when somebody wanted to send, to the answer.
        users_due_s: those moments, from the start on.
        frozen_s: how long the worker stood still.
    """

    tester: list[float]
    users: list[float]
    users_due_s: list[float]
    frozen_s: float

    @property
    def interval_s(self) -> float:
        """The tester's usual time from one request to the next: the median latency, for the tester does not think."""
        return percentile(self.tester, 0.5)

    def hit(self, latencies: Sequence[float]) -> float:
        """The share that waited for more than half of the freeze."""
        return sum(one > self.frozen_s / 2 for one in latencies) / len(latencies)


def percentile(latencies: Sequence[float], share: float) -> float:
    """The latency that at least this share did not exceed (nearest rank)."""
    return sorted(latencies)[math.ceil(share * len(latencies)) - 1]


async def freeze_for_both(lesson: Lesson, tester: Tester, *, freeze_s: float = FREEZE_S) -> Seen:
    """Let a tester and users send likes at the same time, and stop the only worker in the middle of it.

    Args:
        lesson: has the gateway and the worker.
        tester: takes ``send``, which returns when the answer is there, and a list to write latencies into.
        freeze_s: how long the worker stands still, seconds.

    Raises:
        LabError: the tester was done before there was a freeze, or never came to an end.
    """
    latencies: list[float] = []
    async with lesson.http() as http:

        async def send() -> float:
            return await queued(http, LIKE_S)

        await send()  # connected before the start
        testing = asyncio.ensure_future(tester(send, latencies))
        using = asyncio.create_task(_users(send, testing))
        try:
            await _until(lambda: len(latencies) >= CALM, testing)
            frozen_s = await _freeze(lesson, freeze_s)
            await asyncio.wait({testing}, timeout=LONGEST_TEST_S)
            if not testing.done():
                raise LabError(f"the test took {LONGEST_TEST_S:g} s and goes on: must be over by then. Send fewer.")
            await testing
            users = sorted(await using)
        finally:
            await _end(testing, using)
    return Seen(latencies, [took for _, took in users], [due for due, _ in users], frozen_s)


async def _users(send: Send, over: asyncio.Future[object]) -> list[tuple[float, float]]:
    """(when somebody wanted to send, how long until the answer), for as long as the tester is at it."""
    began, sent = time.monotonic(), list[asyncio.Task[tuple[float, float]]]()
    try:
        while not over.done():
            due_s = len(sent) / USERS_RATE
            await asyncio.sleep(max(0.0, began + due_s - time.monotonic()))
            sent.append(asyncio.create_task(_user(send, began, due_s)))
        return list(await asyncio.gather(*sent))
    finally:
        await _end(*sent)


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Nobody goes on sending, and nothing is left to complain later."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _user(send: Send, began: float, due_s: float) -> tuple[float, float]:
    await send()
    return due_s, time.monotonic() - began - due_s


async def _until(condition: Callable[[], bool], testing: asyncio.Future[object]) -> None:
    end = time.monotonic() + LONGEST_TEST_S
    while not condition():
        if testing.done():
            await testing  # its own mistake is what is to be seen
            raise LabError(f"requests of the tester < {CALM}: must be more before the freeze. Send two hundred.")
        if time.monotonic() > end:
            raise LabError(f"the tester has no {CALM} answers in {LONGEST_TEST_S:g} s: must be sooner. Run it again.")
        await asyncio.sleep(LOOK_S)


async def _freeze(lesson: Lesson, freeze_s: float) -> float:
    await lesson.stack.freeze_worker()
    began = time.monotonic()
    try:
        await asyncio.sleep(freeze_s)
    finally:
        frozen_s = time.monotonic() - began
        await lesson.stack.thaw_worker()
    return frozen_s


def show_freeze(seen: Seen) -> None:
    """Each request as a dot, and both accounts in numbers."""
    tester_at = [0.0, *accumulate(seen.tester)][:-1]
    layers = [
        charts.line("users, since they wanted to send", seen.users_due_s, seen.users, style.P95, "o", joined=False),
        charts.line("tester, since it sent", tester_at, seen.tester, style.LIVE, "D", joined=False),
    ]
    title = "Same service, same seconds: the tester sent next to nothing while it stood still"
    display(charts.chart(title, layers, x="seconds", y="seconds until the answer"))
    print(f"{'':<8}{'requests':>10}{'median':>11}{'p99':>11}{'worst':>11}{'hit by the freeze':>20}")
    for name, found in (("tester", seen.tester), ("users", seen.users)):
        times = "".join(f"{1000 * percentile(found, share):>8.0f} ms" for share in (0.5, 0.99, 1))
        print(f"{name:<8}{len(found):>10}{times}{seen.hit(found):>19.1%}")


def apart(seen: Seen) -> str:
    """What the prediction was about, in a phrase."""
    tester, users = percentile(seen.tester, 0.99), percentile(seen.users, 0.99)
    return f"{1000 * tester:.0f} ms for the tester, {1000 * users:.0f} ms for the users"


def check_freeze(seen: Seen) -> None:
    """What section c says.

    Raises:
        ClaimError: it is not so.
    """
    tester, users, numbers = seen.tester, seen.users, repr(seen)
    check(
        Claim("both met the freeze: the worst wait of each is about as long",
              min(max(tester), max(users)) > 0.8 * seen.frozen_s, numbers),
        Claim("the tester met it with one request in a hundred at most", 0 < seen.hit(tester) <= 1 / ONE_IN, numbers),
        Claim("the users met it many times as often", seen.hit(users) > 5 * seen.hit(tester), numbers),
        Claim("so the users' p99 is several times the tester's",
              percentile(users, 0.99) > 3 * percentile(tester, 0.99), numbers),
    )  # fmt: skip
