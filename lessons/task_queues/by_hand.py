"""Section a: thirty lines of task queue on a Redis list, which stand in the notebook, put to work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import redis

from lessons.check.claims import Claim, check
from lessons.task_queues.lesson import Lesson

LIST = "tasks"

ORDERS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("add", {"a": 2, "b": 3}),
    ("shout", {"text": "hello"}),
    ("divide", {"a": 1, "b": 0}),
)

Enqueue = Callable[..., str]
Status = Callable[[redis.Redis, str], Mapping[str, Any]]
Work = Callable[[redis.Redis], object]


class ByHand(NamedTuple):
    """What the notebook's own functions did with three orders.

    Attributes:
        orders: the orders in words.
        waiting: in the list before anybody worked.
        before: what the client could look up then, per order.
        after: the same when the worker had nothing more to do.
        left: in the list then.
    """

    orders: list[str]
    waiting: int
    before: list[Mapping[str, Any]]
    after: list[Mapping[str, Any]]
    left: int

    def __str__(self) -> str:
        rows = zip(self.orders, self.before, self.after, strict=True)
        return "\n".join(f"{order:<22}{dict(before)!s:<24}-> {dict(after)}" for order, before, after in rows)


async def run_by_hand(lesson: Lesson, enqueue: Enqueue, status: Status, work: Work) -> ByHand:
    """Enqueue three tasks, look, let the worker work in a thread, look again.

    Args:
        lesson: has the Redis.
        enqueue: takes a connection, a task's name and its arguments by name; returns a job's id.
        status: takes a connection and a job's id; returns what is known of the job.
        work: takes a connection; works until the list has been empty for a moment.
    """

    def play() -> ByHand:
        with lesson.redis() as connection:
            connection.delete(LIST)
            ids = [enqueue(connection, task, **args) for task, args in ORDERS]
            waiting: Any = connection.llen(LIST)
            before = [status(connection, job_id) for job_id in ids]
            work(connection)
            after = [status(connection, job_id) for job_id in ids]
            left: Any = connection.llen(LIST)
            words = [f"{task}({', '.join(f'{k}={v!r}' for k, v in args.items())})" for task, args in ORDERS]
            return ByHand(words, waiting, before, after, left)

    await lesson.stack.start()
    return await asyncio.to_thread(play)


def check_by_hand(seen: ByHand) -> None:
    """What the notebook says of its own task queue.

    Raises:
        ClaimError: it is not so.
    """
    before, after = ([one.get("status") for one in looks] for looks in (seen.before, seen.after))
    check(
        Claim("all three tasks waited in the list", seen.waiting == len(ORDERS) and set(before) == {"queued"},
              f"{seen.waiting} waiting, {before}"),
        Claim("two were finished and have a result", after[:2] == ["finished"] * 2 and
              [one.get("result") for one in seen.after[:2]] == [5, "HELLO"], str(seen)),
        Claim("the one that cannot be done failed, and its error is kept",
              after[2] == "failed" and "ZeroDivisionError" in str(seen.after[2].get("error")), str(seen)),
        Claim("the list is empty", seen.left == 0, f"{seen.left} left"),
    )  # fmt: skip
