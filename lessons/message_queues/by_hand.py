"""Section b: ten lines of message queue on a Redis list, which stand in the notebook, put to work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import redis

from lessons.check.claims import Claim, check
from lessons.message_queues.lesson import Lesson

LIST = "posts"
POSTS = ("good morning", "lunch?", "good night")

Publish = Callable[[redis.Redis, str], object]
Handle = Callable[[str], None]
Consume = Callable[[redis.Redis, Handle], object]


class ByHand(NamedTuple):
    """What the notebook's own functions did with three posts.

    Attributes:
        waiting: in the list before anybody consumed.
        handled: what the handler was given, in order.
        left: in the list afterwards.
    """

    waiting: int
    handled: list[str]
    left: int

    def __str__(self) -> str:
        return f"{self.waiting} waited; handled: {', '.join(self.handled) or 'nothing'}; {self.left} left"


async def run_by_hand(lesson: Lesson, publish: Publish, consume: Consume) -> ByHand:
    """Publish three posts, look, let ``consume`` work in a thread, look again.

    Args:
        lesson: has the Redis.
        publish: takes a connection and a post.
        consume: takes a connection and what to do with a post; returns when the list has been empty for a moment.
    """

    def play() -> ByHand:
        with lesson.redis() as connection:
            connection.delete(LIST)
            for post in POSTS:
                publish(connection, post)
            waiting: Any = connection.llen(LIST)
            handled: list[str] = []
            consume(connection, handled.append)
            left: Any = connection.llen(LIST)
            return ByHand(waiting, handled, left)

    await lesson.address()
    return await asyncio.to_thread(play)


def check_by_hand(seen: ByHand) -> None:
    """What the notebook says of its own queue.

    Raises:
        ClaimError: it is not so.
    """
    check(
        Claim("all three posts waited in Redis", seen.waiting == len(POSTS), str(seen)),
        Claim("each was handled once, the first one first", seen.handled == list(POSTS), str(seen)),
        Claim("the list is empty", seen.left == 0, str(seen)),
    )
