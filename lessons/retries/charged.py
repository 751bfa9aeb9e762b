"""Section d: a client's time ran out. Was it charged? With the connection really cut, before and after admission."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any, NamedTuple

import httpx

from demo_workers.errors import LabError
from demo_workers.queueing import charges
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.retries.lesson import Lesson

CENTS = 500
PAUSE_MS = 150.0
"""What the bank takes: long enough for a client to hang up meanwhile."""
LOOK_S = 0.005

CASES = {
    "cut before it arrived": (False, False),
    "cut after it was let in": (True, False),
    "cut after it was let in, with a key": (True, True),
}
"""Name → whether the request had been let in when the line was cut, and whether it carries an Idempotency-Key."""
BEFORE, AFTER, WITH_KEY = CASES


class Charged(NamedTuple):
    """One purchase whose first attempt got no answer.

    Attributes:
        case: how the line was cut.
        heard: what the client heard of the first attempt, in bytes.
        at_first: charges in the account before the client tried again.
        status: of the answer to the second attempt.
        in_the_end: charges in the account when all is done.
    """

    case: str
    heard: int
    at_first: int
    status: int
    in_the_end: int

    def __str__(self) -> str:
        return (
            f"{self.case:<38}heard: {self.heard} bytes   charges: {self.at_first}   "
            f"second try: {self.status}   charges: {self.in_the_end}"
        )


async def buy(lesson: Lesson, *cases: str) -> list[Charged]:
    """Buy something for five euros from the real gateway, once per case; the line is cut, and the client tries again.

    Args:
        lesson: has the gateway.
        cases: of ``CASES``; default is all.
    """
    async with lesson.http() as http:
        return [await _buy(lesson, http, case) for case in cases or tuple(CASES)]


async def _buy(lesson: Lesson, http: httpx.AsyncClient, case: str) -> Charged:
    let_in, keyed = CASES[case]
    account = f"ada-{secrets.token_hex(4)}"  # one of its own each time the cell is run
    order = {"task": "charge", "args": {"account": account, "cents": CENTS, "pause_ms": PAUSE_MS}}
    headers = {"Prefer": "wait=10"} | ({"Idempotency-Key": secrets.token_hex(8)} if keyed else {})
    heard = await _ask_and_hang_up(lesson, order, headers, let_in=let_in)
    at_first = await _charges(lesson, account)
    answer = await http.post("/jobs", json=order, headers=headers)
    return Charged(case, heard, at_first, answer.status_code, await _charges(lesson, account))


async def _ask_and_hang_up(lesson: Lesson, order: dict[str, Any], headers: dict[str, str], *, let_in: bool) -> int:
    """Send an order over a connection of its own and cut it: once the job is inside, or before all was said.

    Returns:
        Bytes of an answer that had come by then.
    """
    body = json.dumps(order).encode()
    fields = {"Host": "workbook", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = ["POST /jobs HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    reader, writer = await asyncio.open_unix_connection(lesson.stack.url.removeprefix("unix:"))
    try:
        writer.write("\r\n".join(lines).encode() + (body if let_in else body[:-1]))
        await writer.drain()
        if let_in:
            await _until_inside(lesson, 1)
    finally:
        writer.transport.abort()  # no farewell: the line is dead
    return len(await reader.read())


async def _charges(lesson: Lesson, account: str) -> int:
    """Charges in an account, by Redis's own list, once nothing is waiting or running any more."""
    await _until_inside(lesson, 0)
    with lesson.redis() as connection:
        return len(charges.charged(connection, lesson.stack.queue, account))


async def _until_inside(lesson: Lesson, jobs: int) -> None:
    queue = BoundedQueue(lesson.stack.connection, lesson.stack.queue)
    try:
        async with asyncio.timeout(WAIT_S):
            while await queue.depth() != jobs:
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise LabError(f"jobs inside: must be {jobs} within {WAIT_S:g} s. Run the cell again.") from None


def check_charged(found: list[Charged]) -> None:
    """What section d says.

    Raises:
        ClaimError: it is not so.
    """
    by, numbers = {one.case: one for one in found}, "; ".join(map(str, found))
    before, after, keyed = (by[case] for case in CASES)
    check(
        Claim("whenever the line was cut, the client heard the same: nothing", {one.heard for one in found} == {0},
              numbers),
        Claim("once it had been charged by then, and once not", (before.at_first, after.at_first) == (0, 1), numbers),
        Claim("the second try is answered each time", {one.status for one in found} == {200}, numbers),
        Claim("to try again is right after the one, and charges twice after the other",
              (before.in_the_end, after.in_the_end) == (1, 2), numbers),
        Claim("with an Idempotency-Key it is charged once", (keyed.at_first, keyed.in_the_end) == (1, 1), numbers),
    )  # fmt: skip
