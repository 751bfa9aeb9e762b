"""Chirp's timelines, looked up in Redis: who has a post, taken on nobody's word."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import httpx
import redis

LOOK_S = 0.05
"""Pause between two looks: a bar that moves twenty times a second is smooth."""

LIVES_S = 600
"""What an experiment left behind goes by itself."""


def with_post(connection: redis.Redis, queue: str, text: str, followers: int) -> int:
    """How many timelines begin with this post.

    Args:
        connection: where they are.
        queue: name of the queue, which their keys begin with.
        text: the post.
        followers: how many there are.
    """
    pipe = connection.pipeline(transaction=False)
    for follower in range(followers):
        pipe.lindex(_key(queue, follower), 0)
    return sum(entry is not None and text.encode() in entry for entry in pipe.execute())


def posts(connection: redis.Redis, queue: str, follower: int) -> list[str]:
    """What stands on one timeline, newest first, as ``author: text``.

    Args:
        connection: where it is.
        queue: name of the queue, which its key begins with.
        follower: whose.
    """
    entries: Any = connection.lrange(_key(queue, follower), 0, -1)
    return [entry.decode() for entry in entries]


def put(connection: redis.Redis, queue: str, follower: int, entry: str) -> None:
    """Put a post on one timeline, as a web server does that does not leave it to a worker.

    Args:
        connection: where it is.
        queue: name of the queue, which its key begins with.
        follower: whose.
        entry: author and text, as ``posts`` gives them.
    """
    pipe = connection.pipeline(transaction=False)
    pipe.lpush(_key(queue, follower), entry)
    pipe.expire(_key(queue, follower), LIVES_S)
    pipe.execute()


async def watch(
    posting: asyncio.Future[httpx.Response],
    connection: redis.Redis,
    queue: str,
    text: str,
    followers: int,
    progress: Callable[[float], None],
) -> None:
    """Tell how far a post has come until ``posting`` is done; the other arguments are those of ``with_post``."""

    def has_it(follower: int) -> bool:
        entry: Any = connection.lindex(_key(queue, follower), 0)
        return entry is not None and text.encode() in entry

    def reached() -> int:
        # timelines are written one after the other, so ten looks find the last one among a thousand
        return bisect_left(range(followers), True, key=lambda follower: not has_it(follower))

    said_before = followers > 0 and has_it(followers - 1)  # then the same words do not tell what is new
    while not posting.done():
        await asyncio.wait((posting,), timeout=LOOK_S)
        if not said_before and not posting.done():
            progress(await asyncio.to_thread(reached) / followers)
    if not posting.cancelled() and posting.exception() is None and posting.result().is_success:
        progress(1.0)


def spoil(connection: redis.Redis, queue: str, follower: int) -> None:
    """Make one timeline something else than a list, so that a post cannot be put there; ``clear`` mends it."""
    connection.set(_key(queue, follower), "not a list", ex=600)


def take_back(connection: redis.Redis, queue: str, entry: str, followers: int) -> int:
    """Remove a post from the timelines that have it; returns how many had.

    Args:
        connection: where they are.
        queue: name of the queue, which their keys begin with.
        entry: author and post, as it stands there.
        followers: how many there are.
    """
    pipe = connection.pipeline(transaction=False)
    for follower in range(followers):
        pipe.lrem(_key(queue, follower), 1, entry)
    return sum(int(removed) for removed in pipe.execute(raise_on_error=False) if isinstance(removed, int))


def clear(connection: redis.Redis, queue: str, followers: int) -> None:
    """Empty timelines."""
    connection.delete(*(_key(queue, follower) for follower in range(followers)))


def _key(queue: str, follower: int) -> str:
    return f"{queue}:timeline:{follower}"
