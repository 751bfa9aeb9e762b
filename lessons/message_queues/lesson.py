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


def make_lesson(name: str = "01_message_queues") -> Lesson:
    """Not started yet.

    Args:
        name: of its stack.
    """
    return Lesson(stack_with_own_redis(name))


async def open_lesson() -> Lesson:
    """Start Redis, gateway and one worker. Running it again replaces what the first call started."""
    return await make_lesson().open()
