"""Section a: a post appears at once for its author, and then its job fails. What must be undone, and for whom?"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from demo_workers.errors import LabError
from lessons import job_events, timelines
from lessons.check.claims import Claim, check
from lessons.message_queues.lesson import Lesson

TEXT, AUTHOR = "See you on Tuesday", "you"
FOLLOWERS, BROKEN = 60, 40
"""The timeline of follower 40 is damaged: there the job fails."""


class Page:
    """What the author sees: a list of posts, kept by the browser, not by the server."""

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.history: list[str] = []

    def add(self, text: str) -> None:
        """Show a post before the server has said anything."""
        self.posts.append(text)
        self.history.append(f"shown:       {text!r}, sending …")

    def take_back(self, text: str, why: str) -> None:
        """Remove it again, and say so."""
        self.posts.remove(text)
        self.history.append(f"taken back:  {text!r}: {why}")


class Undone(NamedTuple):
    """An optimistic post whose job failed.

    Attributes:
        answer: the status of the answer to the post.
        shown: whether the author's page had the post when the answer came.
        end: the last the page heard of the job.
        reached: followers who had the post when the job had failed.
        on_page: whether the page has it in the end.
        left: followers who have it in the end.
        history: what the page did.
    """

    answer: int
    shown: bool
    end: str
    reached: int
    on_page: bool
    left: int
    history: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            self.history[0],
            f"answer:      {self.answer}",
            f"job:         {self.end}; {self.reached} of {FOLLOWERS} followers had the post by then",
            *self.history[1:],
            f"undone:      {self.left} followers have it now",
        ]
        return "\n".join(lines)


async def post_and_fail(lesson: Lesson) -> Undone:
    """Damage one timeline, post, show the post at once, hear of the failure, and undo."""
    page = Page()
    async with lesson.http() as http:
        with lesson.redis() as connection:
            queue = lesson.stack.queue
            await asyncio.to_thread(timelines.clear, connection, queue, FOLLOWERS)
            await asyncio.to_thread(timelines.spoil, connection, queue, BROKEN)
            try:
                page.add(TEXT)
                args = {"post": TEXT, "author": AUTHOR, "followers": FOLLOWERS, "write_ms": 1.0}
                answer = await http.post("/jobs", json={"task": "fan_out", "args": args})
                if answer.status_code != 202:
                    raise LabError(f"POST /jobs = {answer.status_code}: must be 202. {answer.text}")
                shown = TEXT in page.posts
                end = await job_events.end(http, answer.headers["location"])
                entry = f"{AUTHOR}: {TEXT}"
                reached = left = 0
                if end == "failed":
                    # taking it back is work of its own: those who have read it have read it
                    reached = await asyncio.to_thread(timelines.take_back, connection, queue, entry, FOLLOWERS)
                    page.take_back(TEXT, "it could not be delivered")
                    left = await asyncio.to_thread(timelines.take_back, connection, queue, entry, FOLLOWERS)
            finally:
                await asyncio.to_thread(timelines.clear, connection, queue, FOLLOWERS)
    return Undone(answer.status_code, shown, end, reached, TEXT in page.posts, left, tuple(page.history))


def check_undone(seen: Undone) -> None:
    """What section a says of the optimistic post.

    Raises:
        ClaimError: it is not so.
    """
    numbers = repr(seen)
    check(
        Claim("the author saw the post at once, and the answer was 202", seen.shown and seen.answer == 202, numbers),
        Claim("the job failed later, when some followers had the post already",
              seen.end == "failed" and 0 < seen.reached < FOLLOWERS, numbers),
        Claim("undone: neither the author's page nor any timeline has it now", not seen.on_page and seen.left == 0,
              numbers),
    )  # fmt: skip
