"""The exercise: a ``consume`` that survives being killed.

The killing is simulated: whatever the reader's function is doing, it is left at once and called again, as a consumer
that is restarted. The list and all that ``consume`` writes beside it are in the real Redis.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import redis

from demo_workers.errors import LabError
from lessons.check.in_time import call_in_time
from lessons.check.kills import Killed, call_until_done
from lessons.message_queues.by_hand import LIST, Consume, Handle
from lessons.message_queues.lesson import Lesson

CLASS_SEED = 2026
POSTS, KILLS = 12, 4
MOST_HANDLED = 20 * POSTS
"""A ``consume`` that has handled so much and is not done never will be."""
WORKING = "working"


class Consumed(NamedTuple):
    """What came of twelve posts and four kills.

    Attributes:
        lost: posts that were never handled.
        doubled: posts that were handled again.
        left: entries still in the reader's lists at the end.
        unavoidable: kills that came after the effect, each of which a careful ``consume`` pays for with a double.
    """

    lost: int
    doubled: int
    left: int
    unavoidable: int

    def __str__(self) -> str:
        return f"{self.lost} lost, {self.doubled} handled twice, {self.left} left behind"


def naive(connection: redis.Redis, handle: Handle) -> None:
    """Pop, then handle."""
    while popped := connection.rpop(LIST):
        handle(popped.decode())  # type: ignore[union-attr]  # of one value, not of several


def reference(connection: redis.Redis, handle: Handle) -> None:
    """First what a predecessor left, then the next; forget it only when it is done."""
    while post := connection.lindex(WORKING, -1) or connection.lmove(LIST, WORKING, "RIGHT", "LEFT"):
        handle(post.decode())  # type: ignore[union-attr]  # the blocking client's answer is no awaitable
        connection.lrem(WORKING, 1, post)  # type: ignore[arg-type]  # an entry may be bytes


async def try_consume(lesson: Lesson, consume: Consume, *, class_seed: int = CLASS_SEED) -> Consumed:
    """Let a ``consume`` be killed four times, two of them after the effect.

    Args:
        lesson: has the Redis.
        consume: the reader's.
        class_seed: another number gives other moments.

    Raises:
        LabError: it gets no further, or has not returned after ten seconds.
    """
    await lesson.address()
    with lesson.redis() as connection, lesson.redis() as other:
        number = connection.client_id()
        return await call_in_time(
            lambda: _play(connection, consume, class_seed), wake=lambda: other.client_unblock(number, error=True)
        )


def _play(connection: redis.Redis, consume: Consume, class_seed: int) -> Consumed:
    dice = np.random.default_rng(class_seed)
    deaths = sorted(int(n) for n in dice.choice(np.arange(1, POSTS), KILLS, replace=False))
    after = set(deaths[::2])
    done: Counter[str] = Counter()
    calls = count(1)

    def handle(post: str) -> None:
        if (number := next(calls)) > MOST_HANDLED:
            raise LabError(f"posts handled = {number}: must be done by then. Does it get further each time?")
        if number in deaths and number not in after:
            raise Killed
        done[post] += 1
        if number in after:
            raise Killed

    connection.delete(LIST, WORKING)
    posts = [f"post {n}" for n in range(POSTS)]
    connection.lpush(LIST, *posts)
    call_until_done(lambda: consume(connection, handle))
    left: Any = connection.llen(LIST) + connection.llen(WORKING)
    connection.delete(LIST, WORKING)
    return Consumed(len(set(posts) - done.keys()), done.total() - len(done), left, len(after))


async def grade_consume(lesson: Lesson, consume: Consume, *, class_seed: int = CLASS_SEED) -> None:
    """Print the reader's ``consume`` between one that pops and one that survives."""
    for name, one in (("pops", naive), ("yours", consume), ("reference", reference)):
        print(f"{name:<12}{await try_consume(lesson, one, class_seed=class_seed)}")
