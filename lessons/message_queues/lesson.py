"""The running system of chapter 01: gateway and worker for the workflow, and their Redis for brokers and consumers."""

from __future__ import annotations

from demo_workers.brokers.losses import Loss
from demo_workers.stack import Stack
from lessons.chapter import Chapter, stack_with_own_redis

WORKERS = 1
"""Behind the gateway."""


class Lesson(Chapter):
    """Redis, gateway and one worker; made by ``open_lesson``.

    Args:
        stack: all of it.

    Attributes:
        measured: the books of what was killed here so far: kind of broker → loss.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, WORKERS)
        self.measured: dict[str, Loss] = {}

    async def address(self) -> dict[str, str]:
        """Of the chapter's Redis, which runs then."""
        await self.stack.start(WORKERS)
        return dict(self.stack.redis.address)


async def open_lesson() -> Lesson:
    """Start Redis, gateway and one worker. Running it again replaces what the first call started."""
    lesson = Lesson(stack_with_own_redis("01_message_queues"))
    await lesson.start()
    print(f"{lesson.stack.redis.name}, {WORKERS} worker behind the gateway.")
    return lesson
