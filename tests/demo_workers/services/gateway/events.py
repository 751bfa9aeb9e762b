"""Reads Server-Sent Events as a browser would."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from tests.demo_workers.services.gateway.talk import Talk, request, talk


class Event(NamedTuple):
    """One event; ``identity`` is what a browser would come back with."""

    name: str
    identity: str
    data: dict[str, Any]


class Stream:
    """An open stream.

    Attributes:
        retry_ms: what the server asked for.
        comments: lines that browsers ignore.
    """

    def __init__(self, line: Talk) -> None:
        self._line = line
        self._identity = ""
        self.retry_ms = 0
        self.comments: list[str] = []
        self._blocks: list[str] = []

    async def event(self) -> Event | None:
        """The next event; None at the regular end of the stream."""
        name, data = "message", ""
        while (text := await self._text()) is not None:
            for field in text.split("\n"):
                key, _, value = field.partition(": ")
                if key == "":
                    self.comments.append(value)
                elif key == "event":
                    name = value
                elif key == "id":
                    self._identity = value
                elif key == "retry":
                    self.retry_ms = int(value)
                elif key == "data":
                    data += value
            if data:
                return Event(name, self._identity, json.loads(data))
        return None

    async def rest(self) -> list[Event]:
        """All events to the end."""
        events = []
        while (event := await self.event()) is not None:
            events.append(event)
        return events

    async def _text(self) -> str | None:
        """The next block up to an empty line; each is sent in one chunk or with others."""
        if not self._blocks:
            size = int(await self._line.reader.readuntil(b"\r\n"), 16)
            body = (await self._line.reader.readexactly(size + 2))[:-2]
            if not size:
                return None
            text = body.decode()
            assert text.endswith("\n\n")
            self._blocks = text.removesuffix("\n\n").split("\n\n")
        return self._blocks.pop(0)


@contextlib.asynccontextmanager
async def events(url: str, job_id: str, last: str = "") -> AsyncIterator[Stream]:
    """The stream of a job's events."""
    async with talk(url) as line:
        line.send(request("GET", f"/jobs/{job_id}/events", {"last-event-id": last} if last else None))
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200 "), head
        assert "content-type: text/event-stream\r\n" in head
        assert "cache-control: no-store\r\n" in head
        yield Stream(line)
