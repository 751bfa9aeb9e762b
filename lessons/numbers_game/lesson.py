"""The running system of chapter 06: Redis and one RQ worker per core, to be timed and to do sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from demo_workers.queueing.connection import connect
from lessons.sweeps.room import Room


class Lesson:
    """What ``open_lesson`` starts. There is no gateway: nobody posts anything here.

    Args:
        room: server and workers.
    """

    def __init__(self, room: Room) -> None:
        self.room = room

    async def start(self) -> None:
        """Start what does not run. May be called again at any time.

        Raises:
            RedisUnavailable, WorkersNotReady: a part did not start.
        """
        await self.room.start()

    @contextmanager
    def queue(self) -> Iterator[Queue]:
        """The workers' queue, by a Redis client of its own."""
        connection: redis.Redis = connect(self.room.server.address)
        try:
            yield Queue(self.room.queue, connection=connection, serializer=JSONSerializer)
        finally:
            connection.close()

    async def close(self) -> None:
        """End everything that was started; nothing is left running. The next experiment brings it back."""
        await self.room.stop()
        print("Everything is stopped.")


_open: list[Lesson] = []


async def open_lesson() -> Lesson:
    """Start Redis and the workers. Running it again replaces what the first call started."""
    while _open:
        await _open.pop().room.stop()
    lesson = Lesson(Room())
    await lesson.start()
    _open.append(lesson)
    workers = lesson.room.workers
    print(f"{lesson.room.server.name}, {workers} RQ {'worker' if workers == 1 else 'workers'}: one per core")
    return lesson
