"""The server alone, in this process, with small bounds so that reaching them takes no time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo_workers.errors import GatewayUnavailable
from demo_workers.services.gateway.web import http_protocol
from demo_workers.services.gateway.web.asgi import Receive, Scope, Send, hung_up, read_body
from demo_workers.services.gateway.web.http_server import HttpServer, tcp_socket, unix_socket
from tests.demo_workers.services.gateway.talk import Talk, request, talk
from tests.patience import patience

pytestmark = pytest.mark.live


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the size of the body, after a pause where the path asks for one."""
    body = await read_body(receive, 1 << 20) or b""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    text = b"%d" % len(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[HttpServer]:
    """Listening on a unix socket."""
    server = HttpServer(echo, unix_socket(tmp_path / "s"))
    await server.start()
    yield server
    await server.stop()


def head(size: int, path: str = "/") -> bytes:
    """A request whose head has about this many bytes."""
    return request("GET", path, {f"x-{n}": "y" * 500 for n in range(size // 508)})


@pytest.mark.parametrize("piece", [100_000, 5000, 100])
async def test_heads_are_bounded_however_they_arrive(server: HttpServer, piece: int) -> None:
    """15 KiB are fine, 18 KiB are 431 and a close, in one read or in many."""
    async with talk(server.url) as line:
        assert await said(line, head(15_000), piece) == 200
        assert await said(line, head(18_000), piece) == 431
        assert await line.closed()


@pytest.mark.parametrize("endless", [b"GET / HTTP/1.1\r\nx: ", b"GET /", b"GET / HTTP/1.1\r\n", b"\r\n"])
async def test_a_head_without_an_end_is_not_kept(server: HttpServer, endless: bytes) -> None:
    """The parser hands out nothing of it, and is stopped all the same within a piece of the bound."""
    async with talk(server.url) as line:
        line.send(endless)
        sent = 0
        filler = b"\r\n" if endless == b"\r\n" else b"y"
        while not line.reader.at_eof() and sent < 100_000:
            line.send(filler * 1000)
            sent += 1000 * len(filler)
            if reply := await soon(line):
                assert reply == 431
                break
        assert sent < 30_000


async def test_a_body_and_the_next_head_in_one_read(server: HttpServer) -> None:
    """The end of a large body does not count as head, whatever follows it."""
    body = b"z" * 60_000
    async with talk(server.url) as line:
        line.send(request("POST", "/", None, body) + head(15_000) + request("POST", "/", None, body) + head(18_000))
        replies = [await line.reply() for _ in range(3)]
        assert [reply.body for reply in replies if reply] == [60_000, 0, 60_000]
        assert await line.closed()


async def test_a_refusal_waits_for_the_answers_before_it(server: HttpServer) -> None:
    """Rubbish behind a request that is being answered spoils nothing: its answer comes, then the close."""
    async with talk(server.url) as line:
        line.send(request("GET", "/slow") + b"rubbish\r\n\r\n")
        reply = await line.reply()
        assert reply is not None
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await line.closed()


async def test_a_chunked_body_has_a_bound_on_the_wire(server: HttpServer) -> None:
    """Endless chunk extensions, or trailers, are no body; they end in a refusal."""
    start = request("POST", "/", {"content-length": "", "transfer-encoding": "chunked"})
    for tail in (b"1;" + b"x" * 1_000_000, b"0\r\n" + b"trailer: y\r\n" * 100_000):
        async with talk(server.url) as line:
            line.send(start + tail)
            reply = await line.reply()
            assert reply is not None
            assert reply.status in (413, 431)


async def test_too_many_requests_in_one_breath(server: HttpServer) -> None:
    """A pipeline is kept up to a bound; past it the connection is closed."""
    async with talk(server.url) as line:
        line.send(request("GET", "/slow") * 500)
        assert await asyncio.wait_for(line.reader.read(), 30) == b""


async def test_requests_must_arrive_in_time(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head or body that drips gets 408; one that is being answered is left alone."""
    monkeypatch.setattr(http_protocol, "READ_S", 0.2)
    parts = (b"GET / HT", request("POST", "/", {"content-length": "9"}, b"1"), b"")
    async with talk(server.url) as one, talk(server.url) as two, talk(server.url) as three:
        for line, part in zip((one, two, three), parts, strict=True):
            line.send(part)
        replies = [await asyncio.wait_for(line.reply(), 30) for line in (one, two, three)]
        assert [reply.status for reply in replies if reply] == [408, 408, 408]


async def test_who_does_not_read_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without end is not heaped up: the app waits for its reader, and then no longer. Readers are served."""
    monkeypatch.setattr(http_protocol, "WRITE_S", 0.2)
    part, sent, left = b"x" * 1000, Counter[str](), Counter[str]()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(hung_up(receive))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.done():
            await send({"type": "http.response.body", "body": part, "more_body": True})
            sent[scope["path"]] += len(part)
            await asyncio.sleep(0)
        left[scope["path"]] += 1

    server = HttpServer(flood, unix_socket(tmp_path / "s"))
    await server.start()
    try:
        async with talk(server.url) as reader:
            deaf = socket.socket(socket.AF_UNIX)
            deaf.setblocking(False)
            await asyncio.get_running_loop().sock_connect(deaf, str(tmp_path / "s"))
            await asyncio.get_running_loop().sock_sendall(deaf, request("GET", "/deaf"))
            reader.send(request("GET", "/reader"))
            end = time.monotonic() + 30
            while not left["/deaf"]:
                assert time.monotonic() < end, "the connection is still open"
                assert await reader.reader.read(1 << 16)
            deaf.close()
            assert sent["/deaf"] < 2**20
            assert sent["/reader"] > sent["/deaf"]
            assert not left["/reader"]
    finally:
        await server.stop()


async def test_connections_are_counted(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is told to come back; when another one has left there is room again."""
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 1)
    async with talk(server.url) as first:
        assert (await first.ask("GET", "/")).status == 200
        async with talk(server.url) as second:
            reply = await second.reply()
            assert reply is not None
            assert reply.status == 503
    async with talk(server.url) as third:
        assert (await third.ask("GET", "/")).status == 200


async def test_who_is_refused_hears_why_even_while_sending(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is there although the client goes on; who does not stop is cut off."""
    async with talk(server.url) as line:
        line.send(head(18_000))
        for _ in range(20):
            line.send(b"more" * 1000)
            await asyncio.sleep(0.001)
        reply = await line.reply()
        assert reply is not None
        assert reply.status == 431
        monkeypatch.setattr(http_protocol, "LINGER_S", 0.0)
        end = time.monotonic() + 30
        while not line.writer.is_closing():
            assert time.monotonic() < end, "still connected"
            line.send(b"more")
            await asyncio.sleep(0.01)


async def test_an_upgrade_is_declined(server: HttpServer) -> None:
    """The answer is plain HTTP/1.1, then the connection is closed."""
    async with talk(server.url) as line:
        reply = await line.ask("GET", "/", {"connection": "upgrade", "upgrade": "websocket"})
        assert reply.status == 200
        assert await line.closed()


async def test_stopping_lets_an_answer_leave(tmp_path: Path) -> None:
    """What is being answered is answered, and the path is gone; a second stop does nothing."""
    server = HttpServer(echo, unix_socket(tmp_path / "s"))
    await server.start()
    async with talk(server.url) as line:
        line.send(request("GET", "/slow"))
        await asyncio.sleep(0.02)
        start = time.monotonic()
        await server.stop()
        assert time.monotonic() - start < patience(0.4)
        reply = await line.reply()
        assert reply is not None
        assert reply.status == 200
    await server.stop()
    assert not (tmp_path / "s").exists()


def test_a_path_that_is_taken_is_not_stolen(tmp_path: Path) -> None:
    """Two gateways cannot listen at one place; the error names it."""
    first = unix_socket(tmp_path / "s")
    with first, pytest.raises(GatewayUnavailable, match="cannot listen there"):
        unix_socket(tmp_path / "s")


def test_a_port_that_is_taken_is_not_stolen() -> None:
    """The same for TCP."""
    with tcp_socket("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(GatewayUnavailable, match="cannot listen there"):
            tcp_socket("127.0.0.1", first.getsockname()[1])


async def said(line: Talk, data: bytes, piece: int) -> int:
    """Send in pieces; the status of the answer."""
    for start in range(0, len(data), piece):
        line.send(data[start : start + piece])
        await asyncio.sleep(0)
    reply = await line.reply()
    assert reply is not None
    return reply.status


async def soon(line: Talk) -> int | None:
    """The status of an answer that comes within a moment."""
    try:
        reply = await asyncio.wait_for(line.reply(), 0.02)
    except TimeoutError:
        return None
    return 431 if reply is None else reply.status
