"""A Redis server of ours, filled until it refuses to store more."""

from __future__ import annotations

from typing import Any

from redis.exceptions import OutOfMemoryError

HEADROOM = 2 << 20
"""Bytes between what is used and the limit; they are filled, so that the refusals are real."""
PIECE = 64 << 10
KEY = "workbook:filler"

Redis = Any
"""A ``redis.asyncio.Redis``; its declared replies are unions that no caller can narrow."""


async def fill(connection: Redis) -> int:
    """Set a memory limit a little above what is used, and fill up to it; returns the limit (bytes).

    One that is in force stays: a higher one would let somebody in before it is filled.
    """
    memory = await connection.info("memory")
    limit = int(memory["maxmemory"]) or int(memory["used_memory"]) + HEADROOM
    await connection.config_set("maxmemory-policy", "noeviction")
    await connection.config_set("maxmemory", limit)
    try:
        for size in (PIECE, PIECE >> 4, PIECE >> 8):  # ever smaller pieces, up to the brim
            try:
                while True:
                    await connection.append(KEY, bytes(size))
            except OutOfMemoryError:
                continue
    except BaseException:
        await free(connection)
        raise
    return limit


async def free(connection: Redis) -> None:
    """Take the limit and the filling away."""
    await connection.config_set("maxmemory", 0)
    await connection.delete(KEY)
