"""A job that needs a database which others need too: a row in a SQLite file, which lets in one writer at a time."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

PATIENCE_S = 30.0
"""How long a writer waits for its turn."""


def create(path: Path) -> None:
    """A new album without pictures.

    Args:
        path: of its file.
    """
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE album (picture TEXT)")


def add(path: str, picture: str, hold_s: float) -> None:
    """Add a picture in a transaction that takes a while, as if the database were slow.

    Args:
        path: of the album's file.
        picture: its name.
        hold_s: how long the transaction takes, seconds; nobody else can write meanwhile.
    """
    with closing(sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO album VALUES (?)", (picture,))
        time.sleep(hold_s)
        database.execute("COMMIT")


def count(path: Path) -> int:
    """How many pictures are in an album.

    Args:
        path: of its file.
    """
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT COUNT(*) FROM album").fetchone()[0])
