"""Section c: what a refused client hears. 503 is "nobody now", 429 is "not you now"."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, NamedTuple

import httpx

from demo_workers.queueing.bounded_enqueue import BoundedQueue
from lessons.back_pressure.lesson import WORKERS, Lesson
from lessons.check.claims import Claim, check

PLACES = 2
WORK_S = 0.3
GREEDY, MODEST = "greedy", "modest"
EMPTY_S, LOOK_S = 5.0, 0.05


class Heard(NamedTuple):
    """An HTTP answer.

    Attributes:
        who: which client.
        status: of the answer.
        retry_after: the header's text, or "".
        body: what the answer says.
    """

    who: str
    status: int
    retry_after: str
    body: dict[str, Any]

    def __str__(self) -> str:
        later = f", Retry-After: {self.retry_after}" if self.retry_after else ""
        return f"{self.who} client: {self.status}{later} · {self.body.get('detail', 'accepted')}"


class Doors(NamedTuple):
    """What was heard at a door with two places, and at one with a bound on each client."""

    full: list[Heard]
    greedy: list[Heard]


async def knock(lesson: Lesson) -> Doors:
    """Send real requests to the gateway: three when two may be inside; then three where each client has a bound."""
    await lesson.stack.start(WORKERS)
    gateway = lesson.stack.gateway
    await _until_empty(BoundedQueue(lesson.stack.connection, lesson.stack.queue))
    # numbers of their own each time: the gateway remembers how much a client has asked
    numbers = {who: secrets.randbelow(2**30) for who in (GREEDY, MODEST)}
    async with lesson.http() as http:
        try:
            await gateway.call("steer", admission={"limit": PLACES})
            full = [await _post(http, MODEST, numbers[MODEST], WORK_S) for _ in range(PLACES + 1)]
            await gateway.call("steer", admission={"client_rate": 0.5, "client_burst": 1})
            greedy = [await _post(http, who, numbers[who], 0.001) for who in (GREEDY, GREEDY, MODEST)]
        finally:
            await gateway.call("steer", admission={})
    return Doors(full, greedy)


async def _until_empty(queue: BoundedQueue) -> None:
    """Nothing of an earlier run may take the places."""
    async with asyncio.timeout(EMPTY_S):
        while await queue.depth():
            await asyncio.sleep(LOOK_S)


async def _post(http: httpx.AsyncClient, who: str, number: int, work_s: float) -> Heard:
    order = {"task": "work", "args": {"service_time_s": work_s}}
    headers = {"Workbook-Client": str(number), "Idempotency-Key": secrets.token_hex(8)}
    answer = await http.post("/jobs", json=order, headers=headers)
    return Heard(who, answer.status_code, answer.headers.get("retry-after", ""), answer.json())


def check_doors(doors: Doors) -> None:
    """What section c says of the answers.

    Raises:
        ClaimError: it is not so.
    """
    full, greedy = [heard.status for heard in doors.full], [heard.status for heard in doors.greedy]
    later = [heard.retry_after for heard in (*doors.full, *doors.greedy) if heard.status in (429, 503)]
    numbers = "; ".join(map(str, (*doors.full, *doors.greedy)))
    check(
        Claim("two places, three posts: two are accepted, the third hears 503", full == [202, 202, 503], numbers),
        Claim("a client past its own bound hears 429, and the next client is let in", greedy == [202, 429, 202],
              numbers),
        Claim("both refusals say in whole seconds when to come again",
              len(later) == 2 and all(text.isdigit() and int(text) >= 1 for text in later), numbers),
    )  # fmt: skip
