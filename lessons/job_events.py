"""A job's news as the gateway sends them: Server-Sent Events, read by whoever has ordered the job."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx


async def events(http: httpx.AsyncClient, location: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The Server-Sent Events of a job, as (name, data), until the stream ends.

    Args:
        http: a client of the gateway.
        location: the job's own address, from the answer to its order.
    """
    async with http.stream("GET", f"{location}/events") as stream:
        name = ""
        async for line in stream.aiter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


async def end(http: httpx.AsyncClient, location: str) -> str:
    """Wait for a job's last news; returns its name: ``finished``, ``failed`` or the like."""
    names = [name async for name, _ in events(http, location)]
    return names[-1] if names else ""
