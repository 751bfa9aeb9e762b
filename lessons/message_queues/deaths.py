"""Section b ★: a consumer is killed (SIGKILL) while it has a message. Who has the message now?

Redis is asked, not the documentation: after the kill every key of the queue is searched for the message.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

import redis

from demo_workers.brokers import Settings
from demo_workers.brokers.consumer import Note
from demo_workers.brokers.losses import Loss
from lessons.check.claims import Claim, check
from lessons.message_queues.crew import crew, steps
from lessons.message_queues.lesson import Lesson
from lessons.show.flow.stage import BROKER, Stage
from lessons.show.flow.steps import Does
from lessons.show.flow.viewing import FlowView

LIST, SAFE_LIST, STREAM = "redis_list", "redis_safe_list", "redis_stream"
NAMES = {LIST: "BRPOP from a list", SAFE_LIST: "LMOVE and a reaper", STREAM: "a stream with a group"}

POSTS = 5
VICTIM = 1
"""Number of the post that its consumer does not survive."""
SETTINGS = Settings(visibility_s=1.2)
NEARLY = 0.9
"""A lease begins a moment before its consumer notes that it has the post."""
FIRST_S, NEXT_S = 0.4, 0.05
"""How long the two consumers work on a post: the first one slowly, to be hit in the middle."""


class Killed(NamedTuple):
    """What became of five posts after the first consumer was killed while it had the second.

    Attributes:
        kind: of the broker.
        signalled: whether the consumer ended by SIGKILL.
        in_hand: whether it had taken the post and not yet done anything with it.
        held_in: keys of Redis in which the post was found after the kill; where it was before does not matter.
        done: the posts that had their effect, in order, as often as they had it.
        again_s: from the first delivery of the post to the second one, seconds; None where there was none.
    """

    kind: str
    signalled: bool
    in_hand: bool
    held_in: tuple[str, ...]
    done: tuple[int, ...]
    again_s: float | None = None

    @property
    def loss(self) -> Loss:
        """The books."""
        return Loss.of(range(POSTS), self.done)

    def __str__(self) -> str:
        where = ", ".join(self.held_in) or "nowhere in Redis"
        loss = self.loss
        again = "" if self.again_s is None else f" Delivered again after {self.again_s:.1f} s."
        return (
            f"{NAMES[self.kind]}: after the kill post {VICTIM} was found {where}.{again}\n"
            f"    {POSTS} published, {loss.found} done, {loss.lost} lost, {loss.doubled} done twice; in the order "
            f"{', '.join(map(str, self.done))}"
        )


async def kill_a_consumer(lesson: Lesson, kind: str = LIST) -> Killed:
    """Publish five posts, kill the consumer that has the second one, let another one go on; all of it is drawn.

    Args:
        lesson: has the Redis; the books are kept there for section e.
        kind: of the broker.
    """
    address = await lesson.address()
    view = FlowView(f"01 {kind}", Stage(workers=2, senders=1, words=BROKER, service_s=FIRST_S))
    view.show()
    async with view.watching():
        killed = await _kill(lesson, kind, address, view)
    lesson.measured[kind] = killed.loss
    return killed


async def kill_repaired(lesson: Lesson) -> list[Killed]:
    """The same with both repairs, at the same time."""
    return list(await asyncio.gather(*(kill_a_consumer(lesson, kind) for kind in (SAFE_LIST, STREAM))))


async def _kill(lesson: Lesson, kind: str, address: dict[str, str], view: FlowView) -> Killed:
    async with crew(kind, address, SETTINGS, _told_to(view)) as consumers:
        first = await consumers.hire(work_s=FIRST_S)
        for post in range(POSTS):
            view.tell(Does.SENT, post, lane=0)
            await consumers.publish(post)
            view.tell(Does.HELD, post)
            view.tell(Does.ANSWERED, post)
        await consumers.until(lambda notes: VICTIM in steps(notes, "took"), f"post {VICTIM} taken")
        first.kill()
        await first.wait()
        notes = await consumers.until(lambda notes: True, "notes")
        in_hand = VICTIM in steps(notes, "took") and VICTIM not in steps(notes, "effect")
        held_in = await asyncio.to_thread(_search, lesson, consumers.queue, str(VICTIM).encode())
        if held_in:
            view.tell(Does.RETURNED, VICTIM, nth=2, lane=0)
        else:
            view.tell(Does.LOST, VICTIM, lane=0)
        view.tell(Does.DIED, lane=0)
        await consumers.hire(work_s=NEXT_S)
        expected = POSTS - (0 if held_in else 1)
        notes = await consumers.until(lambda notes: len(set(steps(notes, "acked"))) >= expected, f"{expected} done")
        signalled = first.returncode == -signal.SIGKILL
        taken = [note.at_s for note in notes if (note.step, note.body) == ("took", VICTIM)]
        again_s = taken[1] - taken[0] if len(taken) > 1 else None
        return Killed(kind, signalled, in_hand, held_in, tuple(steps(notes, "effect")), again_s)


def _told_to(view: FlowView) -> Callable[[Note], None]:
    """Tell a flow view what consumers note."""
    lanes: dict[int, int] = {}
    taken: dict[int, int] = {}

    def tell(note: Note) -> None:
        lane = lanes.setdefault(note.pid, len(lanes))
        if note.step == "took":
            taken[note.body] = taken.get(note.body, 0) + 1
            view.tell(Does.DELIVERED, note.body, nth=taken[note.body], lane=lane)
        elif note.step == "acked":
            view.tell(Does.DONE, note.body, nth=taken[note.body], lane=lane)

    return tell


def _search(lesson: Lesson, queue: str, data: bytes) -> tuple[str, ...]:
    """The keys of a queue in which a message is, with what they are."""
    found = []
    with lesson.redis() as connection:
        for key in sorted(connection.scan_iter(f"workbook:{queue}*")):
            kind: Any = connection.type(key)
            if data in _contents(connection, key, kind):
                found.append(f"in a {kind.decode()}, …{key.decode().removeprefix(f'workbook:{queue}')[:10] or queue}")
    return tuple(found)


def _contents(connection: redis.Redis, key: bytes, kind: bytes) -> list[bytes]:
    if kind == b"list":
        entries: Any = connection.lrange(key, 0, -1)
        return list(entries)
    if kind == b"stream":
        rows: Any = connection.xrange(key)
        return [fields[b"body"] for _, fields in rows]
    return []


def check_killed(killed: Killed) -> None:
    """What section b says of BRPOP.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(killed)
    check(
        Claim("the consumer was killed, by SIGKILL, with a post in its hands", killed.signalled and killed.in_hand,
              numbers),
        Claim("after that no key in Redis had the post any more", not killed.held_in, numbers),
        Claim("the second consumer did all the others", set(killed.done) == set(range(POSTS)) - {VICTIM}, numbers),
        Claim("that one post is lost: nobody did it, and no error was seen", VICTIM not in killed.done, numbers),
    )  # fmt: skip


def check_repaired(repaired: list[Killed]) -> None:
    """What section b says of the repairs.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(repaired)
    check(
        Claim("both consumers were killed with a post in their hands",
              all(one.signalled and one.in_hand for one in repaired), numbers),
        Claim("both times a key in Redis still had the post", all(one.held_in for one in repaired), numbers),
        Claim("it was delivered again, but not before its lease had run out",
              all((one.again_s or 0) > NEARLY * SETTINGS.visibility_s for one in repaired), numbers),
        Claim("every post was done in the end", all(set(one.done) == set(range(POSTS)) for one in repaired), numbers),
        Claim("and none twice: death came before the effect", all(one.loss.doubled == 0 for one in repaired), numbers),
    )  # fmt: skip
