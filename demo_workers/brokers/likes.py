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


def like(db: sqlite3.Connection, message: Any) -> None:
    """One more like. Done twice, it is two."""
    with db:
        db.execute("UPDATE post SET likes = likes + 1")


def like_once(db: sqlite3.Connection, message: Any) -> None:
    """One more like, unless the ledger has this message."""
    with db:  # one transaction: both are written, or neither is
        new = db.execute("INSERT OR IGNORE INTO ledger VALUES (?)", (message["id"],)).rowcount
        if new:
            db.execute("UPDATE post SET likes = likes + 1")


EFFECTS: Mapping[Effect, Callable[[sqlite3.Connection, Any], None]] = {"like": like, "like_once": like_once}


def have(effect: Effect, likes: Path, message: Any) -> None:
    """Do to the database what a consumer's work is to do; nothing for ``none``."""
    if effect in EFFECTS:
        with closing(_opened(likes)) as db:
            EFFECTS[effect](db, message)


def _opened(likes: Path) -> sqlite3.Connection:
    return sqlite3.connect(likes, timeout=LOCKED_S)
