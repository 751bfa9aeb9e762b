"""The monthly report, a job that takes a while: it reads a table of posts and counts the likes of each author.

The table is made anew each time, in memory, by SQLite itself: the same numbers everywhere, and nothing to download.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from rq import get_current_job

from demo_workers.errors import LabError

MONTHS = 12
AUTHORS = 97
ROW_S = 20e-6
"""The longest that one row takes to be made and read; mostly it is a microsecond."""

_MAKE = """
    INSERT INTO posts
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :posts)
    SELECT (i * 7919 + :month * 104729) % :authors, (i * i * 31 + :month * 17) % 1000 FROM n
"""


class ReportArgs(msgspec.Struct, forbid_unknown_fields=True):
    """``posts``: rows a month; ``pause_ms``: an added pause a month, as if the database were in another building;
    ``broken_month``: in this one somebody wrote "many" where the number of likes belongs; 0 is none.
    """

    posts: Annotated[int, Meta(ge=1, le=100_000)]
    pause_ms: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    broken_month: Annotated[int, Meta(ge=0, le=MONTHS)] = 0

    def longest_s(self) -> float:
        """Seconds after which something must be wrong with it."""
        return MONTHS * (self.pause_ms / 1000 + self.posts * ROW_S)


def report(posts: int, pause_ms: float = 0.0, broken_month: int = 0) -> dict[str, Any]:
    """A year's report; the job's meta says how many months are done.

    Raises:
        TypeError: a month is broken.
    """
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Elsewhere call report_of.")

    def tell(done: int) -> None:
        job.meta.update(done=done, total=MONTHS)
        job.save_meta()  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    return report_of(posts, pause_ms, broken_month, tell)


def report_of(
    posts: int, pause_ms: float = 0.0, broken_month: int = 0, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """The same for whoever is no job.

    Args:
        posts: rows a month.
        pause_ms: added pause a month, milliseconds.
        broken_month: which month's table is broken, from 1; 0 is none.
        progress: called with the number of months done.

    Raises:
        TypeError: a month is broken.
    """
    likes: Counter[int] = Counter()
    for month in range(1, MONTHS + 1):
        likes.update(_month(posts, month, broken=month == broken_month))
        time.sleep(pause_ms / 1000)
        if progress is not None:
            progress(month)
    author, most = likes.most_common(1)[0]
    return {"posts": MONTHS * posts, "likes": likes.total(), "best_author": author, "best_likes": most}


def table(posts: int, month: int) -> sqlite3.Connection:
    """A month's table in memory, ``posts`` with the columns ``author`` and ``likes``; whoever asks closes it.

    Args:
        posts: rows.
        month: which one; each has other numbers.
    """
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE posts (author INTEGER, likes)")
    database.execute(_MAKE, {"posts": posts, "month": month, "authors": AUTHORS})
    return database


def _month(posts: int, month: int, *, broken: bool) -> Counter[int]:
    likes: Counter[int] = Counter()
    with closing(table(posts, month)) as database:
        if broken:
            database.execute("UPDATE posts SET likes = 'many' WHERE rowid = 1")
        for author, number in database.execute("SELECT author, likes FROM posts"):
            likes[author] += number
    return likes
