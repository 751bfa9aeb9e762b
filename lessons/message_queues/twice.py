"""Section c: one like, delivered at least once. How many likes are there when a consumer dies, or is merely slow?"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, NamedTuple

from IPython.display import Code, display

from demo_workers.brokers import Settings
from demo_workers.brokers import likes as effects
from demo_workers.brokers.consumer import Ack, Step
from demo_workers.brokers.likes import Effect
from lessons.check.claims import Claim, check
from lessons.message_queues.crew import Crew, crew, steps
from lessons.message_queues.deaths import STREAM
from lessons.message_queues.lesson import Lesson

MESSAGE = {"id": "like-4711", "post": 7}
SETTINGS = Settings(visibility_s=0.4, max_deliveries=100)
SLOW_S = 1.0
"""Work that takes more than twice as long as a message is its consumer's."""
LONG_S = 10.0
"""How long a consumer that is to be killed stays where it is to be hit."""


class Case(NamedTuple):
    """What happens to the consumers of a like.

    Attributes:
        ack: before the work or after the effect.
        effect: with the ledger or without.
        killed_at: the step after which the first consumer is killed; None: nobody is, but both are slow.
    """

    ack: Ack
    effect: Effect
    killed_at: Step | None


KILLED, SLOW = "killed after the effect", "merely slow"
AT_MOST, LEDGER_KILLED, LEDGER_SLOW = "ack first, then killed", "killed, with ledger", "slow, with ledger"
CASES = {
    KILLED: Case("after", "like", "effect"),
    SLOW: Case("after", "like", None),
    AT_MOST: Case("before", "like", "acked"),
    LEDGER_KILLED: Case("after", "like_once", "effect"),
    LEDGER_SLOW: Case("after", "like_once", None),
}


class Liked(NamedTuple):
    """What became of one like.

    Attributes:
        case: what happened to its consumers.
        deliveries: how often a consumer had the message.
        likes: what the database says.
        left: messages that are still with the broker.
    """

    case: str
    deliveries: int
    likes: int
    left: int

    def __str__(self) -> str:
        return f"{self.case:<26}sent 1   delivered {self.deliveries}   likes {self.likes}"


async def send_a_like(lesson: Lesson, *cases: str) -> list[Liked]:
    """Send one like through a stream for each case, all at the same time.

    Args:
        lesson: has the Redis.
        cases: of ``CASES``.
    """
    address = await lesson.address()
    return list(await asyncio.gather(*(_send(case, address) for case in cases)))


async def _send(name: str, address: dict[str, str]) -> Liked:
    case = CASES[name]
    async with crew(STREAM, address, SETTINGS) as consumers:
        likes = effects.place(consumers.place)
        await asyncio.to_thread(effects.create, likes)
        await (_both_slow(consumers, case) if case.killed_at is None else _one_killed(consumers, case))
        notes = await consumers.until(lambda notes: True, "notes")
        found = await asyncio.to_thread(effects.count, likes)
        left = await asyncio.to_thread(consumers.left)
        return Liked(name, len(steps(notes, "took")), found, left)


async def _one_killed(consumers: Crew, case: Case) -> None:
    await consumers.publish(MESSAGE)
    how: dict[str, Any] = {"work_s": LONG_S} if case.ack == "before" else {"pause_s": LONG_S}
    first = await consumers.hire(ack=case.ack, effect=case.effect, **how)
    at = case.killed_at or "took"
    await consumers.until(lambda notes: bool(steps(notes, at)), f"{at} noted")
    first.kill()
    await first.wait()
    await consumers.hire(ack=case.ack, effect=case.effect)  # ready when it has looked once
    if case.ack == "after":
        await consumers.until(lambda notes: bool(steps(notes, "acked")), "second delivery acknowledged")


async def _both_slow(consumers: Crew, case: Case) -> None:
    await asyncio.gather(*(consumers.hire(work_s=SLOW_S, ack=case.ack, effect=case.effect) for _ in range(2)))
    await consumers.publish(MESSAGE)
    # each acknowledges what it had; the broker takes the second word for it as well as the first
    await consumers.until(lambda notes: len(steps(notes, "acked")) == 2, "both acknowledged")


def show_ledger() -> None:
    """The code that the consumers with a ledger run."""
    display(Code(inspect.getsource(effects.like_once), language="python"))


def check_twice(likes: list[Liked]) -> None:
    """What section c says of a killed consumer, or of a slow one.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(likes)
    check(
        Claim("one like was sent, and delivered twice", all(one.deliveries == 2 for one in likes), numbers),
        Claim("the database counts two likes", all(one.likes == 2 for one in likes), numbers),
        Claim("the broker believes that all is well: nothing is left", all(one.left == 0 for one in likes), numbers),
    )


def check_once(likes: list[Liked]) -> None:
    """What section c says of the three words.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(likes)
    by = {one.case: one for one in likes}
    ledger = [by[LEDGER_KILLED], by[LEDGER_SLOW]]
    check(
        Claim("acknowledged first and then killed, the like is lost",
              by[AT_MOST].likes == 0 and by[AT_MOST].left == 0, numbers),
        Claim("with a ledger the like was delivered twice all the same", all(one.deliveries == 2 for one in ledger),
              numbers),
        Claim("with a ledger it counted once, after a death and after slowness", all(one.likes == 1 for one in ledger),
              numbers),
    )  # fmt: skip
