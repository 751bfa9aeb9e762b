"""Section a: the arguments of a task are a snapshot. Or they name something, and then the job finds what is there."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from demo_workers.queueing import letters
from demo_workers.queueing.letters import LIVES_S, post_key
from demo_workers.stack.workforce import WorkerKind
from lessons.check.claims import Claim, check
from lessons.task_queues.lesson import Lesson, until

OLD, NEW = "See you on Tuesday", "See you on Thursday"
BY_VALUE, BY_NAME, DELETED = "by value", "by name", "by name, deleted"


class Delivered(NamedTuple):
    """Which text went out for each way of passing it; empty where none did."""

    by_value: str
    by_name: str
    deleted: str

    def __str__(self) -> str:
        return (
            f"passed by value: {self.by_value!r}\npassed by name:  {self.by_name!r}\n"
            f"by name, and the post was deleted meanwhile: {self.deleted or 'nothing; the job failed'!r}"
        )


async def edit_after_enqueueing(lesson: Lesson) -> Delivered:
    """Enqueue three letters while no worker is there, edit one post and delete another, then hire a worker."""
    async with lesson.crew("snapshot") as crew:
        queue, connection = crew.queue, crew.connection
        for post in ("edited", "deleted"):
            connection.set(post_key(queue.name, post), OLD, ex=LIVES_S)
        jobs = [
            queue.enqueue("demo_workers.queueing.letters.send", BY_VALUE, OLD),
            queue.enqueue("demo_workers.queueing.letters.send_stored", BY_NAME, "edited"),
            queue.enqueue("demo_workers.queueing.letters.send_stored", DELETED, "deleted"),
        ]
        connection.set(post_key(queue.name, "edited"), NEW, ex=LIVES_S)
        connection.delete(post_key(queue.name, "deleted"))
        await crew.workforce.employ(1, WorkerKind())
        await asyncio.to_thread(until, lambda: all(job.is_finished or job.is_failed for job in jobs), "three jobs done")
        sent = {entry.to: entry.text for entry in letters.read(connection, queue.name) if entry.what == "sent"}
        return Delivered(*(sent.get(to, "") for to in (BY_VALUE, BY_NAME, DELETED)))


def check_snapshot(seen: Delivered) -> None:
    """What section a says of arguments.

    Raises:
        ClaimError: it is not so.
    """
    check(
        Claim("passed by value, the old text went out", seen.by_value == OLD, str(seen)),
        Claim("passed by name, the new text went out", seen.by_name == NEW, str(seen)),
        Claim("by name and deleted meanwhile, nothing went out", seen.deleted == "", str(seen)),
    )
