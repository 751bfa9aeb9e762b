"""The three names of ASGI, and the two things that a handler does with them before it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None when it has more than ``limit`` bytes.

    Raises:
        ClientGone: the client hung up.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message["body"])
        size += len(parts[-1])
        if size > limit:
            return None
        if not message["more_body"]:
            return b"".join(parts)


async def hung_up(receive: Receive) -> None:
    """Return when the client has gone; only after its body was read."""
    while (await receive())["type"] != "http.disconnect":
        pass
