"""Follows the stream on which workers announce what they start and finish."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from demo_workers.queueing.announce import Announcement, decode, stream_key

BLOCK_MS = 1000
SILENT_S = 5.0
"""A server that does not even end our blocking read is as good as gone."""

AGAIN_S = 0.25
MOST = 500
"""Entries per read: a burst must not hold up the loop."""

START = "0-0"


class Follower:
    """Reads announcements in order, none twice and none left out, and goes on after Redis was away.

    Args:
        connection: a client of its own, since a blocking read occupies it.
        queue: name of the RQ queue.
        heard: called with each announcement.
        lost: called when Redis has gone, once each time.
    """

    def __init__(
        self,
        connection: redis.asyncio.Redis,
        queue: str,
        heard: Callable[[Announcement], None],
        lost: Callable[[], None],
    ) -> None:
        self._redis, self._key = connection, stream_key(queue)
        self._heard, self._lost = heard, lost
        self._last = START
        self._moved = asyncio.Event()
        self.connected = False

    async def start(self) -> asyncio.Task[None]:
        """Follow from now on: what is announced after this returns will be heard.

        The task ends only by a mistake of ours, which it then raises.
        """
        self._last = await self._newest()
        self.connected = True
        return asyncio.create_task(self._follow())

    async def catch_up(self, deadline_s: float = 1.0) -> None:
        """Wait until everything announced so far was heard; gives up when Redis has gone or at the deadline."""
        try:
            async with asyncio.timeout(deadline_s):
                newest = _order(await self._newest())
                while self.connected and _order(self._last) < newest:
                    self._moved.clear()
                    await self._moved.wait()
        except (TimeoutError, RedisError, OSError):
            pass

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(BLOCK_MS / 1000 + SILENT_S):
                    entries = await self._read()
                self.connected = True
            except (TimeoutError, RedisError, OSError):
                self._lose()
                await asyncio.sleep(AGAIN_S)
                continue
            for entry in entries:
                self._take(entry)
            self._moved.set()

    async def _read(self) -> list[Any]:
        streams = await self._redis.xread({self._key: self._last}, count=MOST, block=BLOCK_MS)
        return entries_of(streams)

    async def _newest(self) -> str:
        entries: Any = await self._redis.xrevrange(self._key, count=1)
        return str(entries[0][0].decode()) if entries else START

    def _take(self, entry: tuple[bytes, dict[bytes, bytes]]) -> None:
        self._last = entry[0].decode()
        try:
            announcement = decode(entry)
        except (KeyError, ValueError) as error:
            # whoever wrote that is no worker of ours
            print(f"an entry of {self._key} is no announcement: {error!r}", file=sys.stderr)
            return
        self._heard(announcement)

    def _lose(self) -> None:
        if self.connected:
            self.connected = False
            self._moved.set()
            self._lost()


def entries_of(streams: Any) -> list[Any]:
    """The entries of the only stream in an answer to XREAD, whichever protocol version shaped it."""
    if not streams:
        return []
    if isinstance(streams, dict):
        (batches,) = streams.values()
        return [entry for batch in batches for entry in batch]
    return list(streams[0][1])


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
