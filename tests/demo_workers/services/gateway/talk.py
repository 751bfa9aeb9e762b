"""A small HTTP client of the tests' own: it sends exactly the bytes it is given and checks the form of what comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

WORK = b'{"task": "work", "args": {"service_time_s": 0}}'


class Reply(NamedTuple):
    """A whole answer; the body is decoded from JSON unless it is text, and None where there is none."""

    status: int
    headers: dict[str, str]
    body: Any


class Talk:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Bytes, as they are."""
        self.writer.write(data)

    async def reply(self, *, head_only: bool = False) -> Reply | None:
        """The next answer, None if the connection was closed without one."""
        head = b""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("ascii").strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        status = int(first.split()[1])
        bodiless = head_only or status == 204
        data = b"" if bodiless else await self.reader.readexactly(int(headers["content-length"]))
        is_text = "text" in headers.get("content-type", "")
        reply = Reply(status, headers, data.decode() if is_text else json.loads(data) if data else None)
        if reply.status >= 400 and not head_only:
            check_problem(reply)
        return reply

    async def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send a well-formed request and wait for its answer."""
        self.send(request(method, path, headers, body))
        reply = await self.reply(head_only=method == "HEAD")
        assert reply is not None, "the connection was closed without an answer"
        return reply

    async def closed(self) -> bool:
        """Whether nothing more comes."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of a well-formed request; headers given replace those it would have had, empty ones leave them out."""
    fields = {"host": "workbook"}
    if method == "POST":
        fields |= {"content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.lower(): value for name, value in (headers or {}).items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def check_problem(reply: Reply) -> None:
    """What every refusal must be."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["status"] == reply.status
    assert reply.body["title"]
    assert reply.body["detail"]
    if reply.status in (429, 503):
        assert int(reply.headers["retry-after"]) >= max(1, reply.body["retry_after_s"])


@contextlib.asynccontextmanager
async def talk(url: str) -> AsyncIterator[Talk]:
    """A connection to where the gateway says that it listens."""
    if url.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(url.removeprefix("unix:"))
    else:
        host, port = url.removeprefix("http://").rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(url: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
    """One request on a connection of its own."""
    async with talk(url) as line:
        return await line.ask(method, path, headers, body)


async def post(url: str, service_time_s: float = 0.0, **headers: str) -> Reply:
    """Post a job; ``workbook_attempt="3.1"`` becomes the header Workbook-Attempt."""
    body = json.dumps({"task": "work", "args": {"service_time_s": service_time_s}}).encode()
    return await ask(url, "POST", "/jobs", {name.replace("_", "-"): value for name, value in headers.items()}, body)
