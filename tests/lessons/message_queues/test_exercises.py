"""The exercise: a ``consume`` that survives kills is told from one that does not, whatever the class's number."""

from __future__ import annotations

import threading
import time

import pytest
import redis as client

from demo_workers.errors import LabError
from lessons import message_queues
from lessons.check import in_time
from lessons.message_queues import Lesson
from lessons.message_queues.by_hand import Handle
from lessons.message_queues.exercises import naive, reference

pytestmark = pytest.mark.live


def forgets_its_predecessor(redis: client.Redis, handle: Handle) -> None:
    """Moves instead of popping, but never looks at what is left."""
    while post := redis.lmove("posts", "working", "RIGHT", "LEFT"):
        handle(post.decode())  # type: ignore[union-attr]  # the blocking client's answer is no awaitable
        redis.lrem("working", 1, post)  # type: ignore[arg-type]  # an entry may be bytes


def never_acknowledges(redis: client.Redis, handle: Handle) -> None:
    """Handles what it holds, and keeps it for ever."""
    while post := redis.lindex("working", -1) or redis.lmove("posts", "working", "RIGHT", "LEFT"):
        handle(post.decode())  # type: ignore[union-attr]  # the blocking client's answer is no awaitable
        raise SystemError("given up")


async def test_the_reference_loses_nothing_and_pays_with_doubles(lesson: Lesson) -> None:
    """One for each kill after the effect; the naive one loses one for each kill before it."""
    for seed in (time.time_ns() % 10**6, 1, 2):
        best = await message_queues.try_consume(lesson, reference, class_seed=seed)
        assert (best.lost, best.doubled, best.left) == (0, best.unavoidable, 0)
        popped = await message_queues.try_consume(lesson, naive, class_seed=seed)
        assert popped.lost > 0
        assert popped.doubled == 0


async def test_what_is_left_behind_is_told(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Moved and forgotten is found in the list of the dead."""
    left = await message_queues.try_consume(lesson, forgets_its_predecessor)
    assert left.left > 0
    await message_queues.grade_consume(lesson, forgets_its_predecessor)
    assert "left behind" in capsys.readouterr().out


async def test_a_mistake_in_the_readers_code_is_the_readers_to_see(lesson: Lesson) -> None:
    """An exception comes out as it is; one that never gets further is told."""
    with pytest.raises(SystemError, match="given up"):
        await message_queues.try_consume(lesson, never_acknowledges)

    def begins_anew(redis: client.Redis, handle: Handle) -> None:
        while True:
            handle("the same post")

    with pytest.raises(LabError, match="get further"):
        await message_queues.try_consume(lesson, begins_anew)


async def test_a_consume_that_waits_for_ever_is_stopped(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pop without a time-out waits in Redis, where no exception reaches it: the wait is ended, nothing is left."""
    monkeypatch.setattr(in_time, "MOST_S", 0.5)

    def waits(redis: client.Redis, handle: Handle) -> None:
        while popped := redis.brpop("posts"):
            handle(popped[1].decode())  # type: ignore[index]  # the blocking client's answer is no awaitable

    with pytest.raises(LabError, match="brpop without a timeout"):
        await message_queues.try_consume(lesson, waits)
    assert "reader's function" not in [thread.name for thread in threading.enumerate()]
    assert (await message_queues.try_consume(lesson, reference)).lost == 0
