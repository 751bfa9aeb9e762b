"""An effect that can be counted whatever the broker believes: likes in an SQLite file, with a ledger of effects."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

Effect = Literal["none", "like", "like_once"]
LOCKED_S = 10.0


def place(directory: Path) -> Path:
    """Where the likes of a directory's consumers are."""
    return directory / "likes.db"


def create(likes: Path) -> None:
    """A post without likes, and an empty ledger."""
    with closing(_opened(likes)) as db, db:
        db.execute("CREATE TABLE post (likes INTEGER)")
        db.execute("CREATE TABLE ledger (message TEXT PRIMARY KEY)")
        db.execute("INSERT INTO post VALUES (0)")


def count(likes: Path) -> int:
    """How many likes the post has."""
    with closing(_opened(likes)) as db:
        return int(db.execute("SELECT likes FROM post").fetchone()[0])


def like(likes: Path, message: Any) -> None:
    """One more like. Done twice, it is two."""
    with closing(_opened(likes)) as db, db:
        db.execute("UPDATE post SET likes = likes + 1")


def like_once(likes: Path, message: Any) -> None:
    """One more like, unless the ledger has this message: both are written in one transaction, or neither is."""
    with closing(_opened(likes)) as db, db:
        new = db.execute("INSERT OR IGNORE INTO ledger VALUES (?)", (message["id"],)).rowcount
        if new:
            db.execute("UPDATE post SET likes = likes + 1")


def _none(likes: Path, message: Any) -> None:
    """The note is effect enough."""


EFFECTS: Mapping[Effect, Callable[[Path, Any], None]] = {"none": _none, "like": like, "like_once": like_once}
"""What a consumer can do with a message."""


def _opened(likes: Path) -> sqlite3.Connection:
    return sqlite3.connect(likes, timeout=LOCKED_S)
