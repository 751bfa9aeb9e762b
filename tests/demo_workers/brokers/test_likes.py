"""An effect that can be counted: twice is two, unless a ledger in the same transaction knows the message."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from demo_workers.brokers import likes
from demo_workers.brokers.likes import Effect

MESSAGE = {"id": "like-1"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A post without likes."""
    path = likes.place(tmp_path)
    likes.create(path)
    return path


@pytest.mark.parametrize(("effect", "expected"), [("none", 0), ("like", 2), ("like_once", 1)])
def test_the_same_message_twice(database: Path, effect: Effect, expected: int) -> None:
    """Nothing, two likes, or one."""
    for _ in range(2):
        likes.have(effect, database, MESSAGE)
    assert likes.count(database) == expected


def test_another_message_is_another_like(database: Path) -> None:
    """The ledger knows names, not contents."""
    for number in range(3):
        likes.have("like_once", database, {"id": f"like-{number}", "post": 7})
    assert likes.count(database) == 3


def test_the_ledger_has_nothing_whose_effect_has_not_happened(database: Path) -> None:
    """An effect that fails takes its line in the ledger back with it, so that the next delivery can do it."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("ALTER TABLE post RENAME TO elsewhere")
    with pytest.raises(sqlite3.OperationalError, match="post"):
        likes.have("like_once", database, MESSAGE)
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("ALTER TABLE elsewhere RENAME TO post")
    likes.have("like_once", database, MESSAGE)
    assert likes.count(database) == 1
