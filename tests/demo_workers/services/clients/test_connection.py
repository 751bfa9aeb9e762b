from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

import psutil
import pytest

from demo_workers.services.clients import messages
from demo_workers.services.clients.connection import MAX_ANSWER_BYTES, Answer, HttpClient

from .bench import until
from .server import FINE, Arrival, LabServer, http, says, silent

pytestmark = pytest.mark.live


class Asker:
    """Sends attempts one by one and collects how they ended."""

    def __init__(self, server: LabServer) -> None:
        self.http = HttpClient(server.address)
        self.ends: list[Answer | None] = []
        self.asked = 0

    def ask(self) -> None:
        """Send one more."""
        self.asked += 1
        data = messages.attempt(messages.host({"uds": ""}), 1, self.asked, 1, None, messages.body(0.01, "sleep"))
        self.exchange = self.http.send(data, self.ends.append)

    async def answer(self) -> Answer | None:
        """Send one more and wait for its end."""
        self.ask()
        await until(lambda: len(self.ends) == self.asked)
        return self.ends[-1]


class TestAnswers:
    async def test_keep_alive(self, socket_path: Path) -> None:
        """One exchange after the other uses one connection."""
        async with LabServer(socket_path) as server:
            asker = Asker(server)
            for _ in range(5):
                assert await asker.answer() == Answer(200, b'{"status": "finished"}', b"")
            assert server.connections == 1
            asker.http.close()

    async def test_tcp(self) -> None:
        """A TCP address works like a socket's path."""
        async with LabServer(None) as server:
            asker = Asker(server)
            answer = await asker.answer()
            assert answer is not None
            assert answer.status == 200
            asker.http.close()

    async def test_byte_by_byte(self, socket_path: Path) -> None:
        """An answer may arrive in any number of reads."""

        async def drip(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            for i in range(len(FINE)):
                writer.write(FINE[i : i + 1])
                await writer.drain()
                await asyncio.sleep(0)

        async with LabServer(socket_path, drip) as server:
            asker = Asker(server)
            assert [await asker.answer(), await asker.answer()] == [Answer(200, b'{"status": "finished"}', b"")] * 2
            assert server.connections == 1
            asker.http.close()

    async def test_chunks(self, socket_path: Path) -> None:
        """A chunked body is put together."""
        answer = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n'
        async with LabServer(socket_path, says(answer)) as server:
            asker = Asker(server)
            assert await asker.answer() == Answer(200, b'{"a":1}', b"")
            asker.http.close()

    async def test_interim_answer(self, socket_path: Path) -> None:
        """A 1xx only announces the answer."""
        async with LabServer(socket_path, says(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + FINE)) as server:
            asker = Asker(server)
            assert await asker.answer() == Answer(200, b'{"status": "finished"}', b"")
            asker.http.close()

    async def test_retry_after(self, socket_path: Path) -> None:
        """The header of one answer is not taken for the next one's."""
        full = http(503, {}, "Retry-After: 7")
        answers = iter([full, FINE])

        async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            writer.write(next(answers))

        async with LabServer(socket_path, behave) as server:
            asker = Asker(server)
            assert await asker.answer() == Answer(503, b"{}", b"7")
            assert await asker.answer() == Answer(200, b'{"status": "finished"}', b"")
            asker.http.close()

    async def test_connection_close(self, socket_path: Path) -> None:
        """Where the server says close, the connection is not used again."""
        async with LabServer(socket_path, says(http(200, {}, "Connection: close"))) as server:
            asker = Asker(server)
            for _ in range(3):
                assert await asker.answer() == Answer(200, b"{}", b"")
            assert server.connections == 3
            await until(lambda: server.open_now == 0)

    async def test_answer_too_many(self, socket_path: Path) -> None:
        """A second answer that nobody asked for is dropped, with its connection."""
        async with LabServer(socket_path, says(FINE + http(500, b"surplus"))) as server:
            asker = Asker(server)
            for _ in range(2):
                assert await asker.answer() == Answer(200, b'{"status": "finished"}', b"")
            assert server.connections == 2
            await until(lambda: server.open_now == 0)


class TestBadServers:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(b"\x00\xff garbage\r\n\r\n", id="garbage"),
            pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", id="bad length"),
            pytest.param(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n\0", id="upgrade"),
            pytest.param(http(200, b"x" * (MAX_ANSWER_BYTES + 1)), id="huge body"),
            pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * MAX_ANSWER_BYTES, id="endless headers"),
        ],
    )
    async def test_no_answer(self, socket_path: Path, answer: bytes) -> None:
        """What is not an HTTP answer of bounded size is an error, and its connection is closed."""
        async with LabServer(socket_path, says(answer)) as server:
            asker = Asker(server)
            assert await asker.answer() is None
            assert asker.http.in_flight == 0
            await until(lambda: server.open_now == 0)

    async def test_reset(self) -> None:
        """A connection that the server resets is an error; the attempt is not sent again."""

        async def reset(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        async with LabServer(None, reset) as server:
            asker = Asker(server)
            assert await asker.answer() is None
            assert len(server.arrivals) == 1

    async def test_half_an_answer(self, socket_path: Path) -> None:
        """An answer that breaks off is an error."""

        async def half(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            writer.write(FINE[:-5])
            writer.close()

        async with LabServer(socket_path, half) as server:
            asker = Asker(server)
            assert await asker.answer() is None

    async def test_nobody_listens(self, socket_path: Path) -> None:
        """A refused connection is an error, and comes after ``send`` has returned."""
        asker = Asker(LabServer(socket_path))
        asker.ask()
        assert asker.ends == []
        await until(lambda: asker.ends)
        assert asker.ends == [None]

    async def test_full_backlog(self, socket_path: Path) -> None:
        """Where a frozen server's backlog is full the client dials again until somebody accepts."""
        listener = socket.socket(socket.AF_UNIX)
        with contextlib.closing(listener):
            listener.bind(str(socket_path))
            listener.listen(0)
            asker = Asker(LabServer(socket_path))
            for _ in range(2):
                asker.ask()
            await asyncio.sleep(0)
            listener.setblocking(False)
            loop = asyncio.get_running_loop()
            for _ in range(2):
                peer, _ = await loop.sock_accept(listener)
                with contextlib.closing(peer):
                    await loop.sock_recv(peer, 4096)
                    await loop.sock_sendall(peer, http(200, {}, "Connection: close"))
            await until(lambda: len(asker.ends) == 2)
        assert asker.ends == [Answer(200, b"{}", b"")] * 2


class TestStaleConnections:
    async def test_closed_between_requests(self, socket_path: Path) -> None:
        """A server that closes idle connections costs no attempt."""

        async def close_after(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            writer.write(FINE)
            await writer.drain()
            writer.close()

        async with LabServer(socket_path, close_after) as server:
            asker = Asker(server)
            for _ in range(20):
                assert await asker.answer() is not None
            assert len(server.arrivals) == 20

    async def test_closed_as_we_write(self, socket_path: Path) -> None:
        """A request that met a closing connection is sent once more, under the same name, on a fresh one."""

        async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            if len(server.arrivals) == 2:
                writer.transport.abort()
            else:
                writer.write(FINE)

        async with LabServer(socket_path, behave) as server:
            asker = Asker(server)
            assert await asker.answer() is not None
            assert await asker.answer() is not None
            assert [(a.request, a.connection) for a in server.arrivals] == [(1, 1), (2, 1), (2, 2)]
            asker.http.close()

    async def test_only_once(self, socket_path: Path) -> None:
        """The second failure is an error."""

        async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            if len(server.arrivals) > 1:
                writer.transport.abort()
            else:
                writer.write(FINE)

        async with LabServer(socket_path, behave) as server:
            asker = Asker(server)
            assert await asker.answer() is not None
            assert await asker.answer() is None
            assert len(server.arrivals) == 3

    async def test_not_after_a_byte(self, socket_path: Path) -> None:
        """Once an answer has begun the request is not sent again."""

        async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            writer.write(FINE if len(server.arrivals) == 1 else FINE[:10])
            if len(server.arrivals) > 1:
                writer.close()

        async with LabServer(socket_path, behave) as server:
            asker = Asker(server)
            assert await asker.answer() is not None
            assert await asker.answer() is None
            assert len(server.arrivals) == 2


class TestHangingUp:
    async def test_closes(self, socket_path: Path) -> None:
        """Hanging up closes the connection and silences the exchange; twice is as good as once."""
        async with LabServer(socket_path, silent) as server:
            asker = Asker(server)
            asker.ask()
            await until(lambda: server.arrivals)
            asker.http.hang_up(asker.exchange)
            asker.http.hang_up(asker.exchange)
            await until(lambda: server.open_now == 0)
            assert asker.ends == []
            assert asker.http.in_flight == 0

    async def test_while_dialling(self, socket_path: Path) -> None:
        """Hanging up before the connection stands, at any moment, leaves nothing open."""
        async with LabServer(socket_path, silent) as server:
            asker = Asker(server)
            files = psutil.Process().num_fds()
            for turns in range(8):
                asker.ask()
                for _ in range(turns):
                    await asyncio.sleep(0)
                asker.http.hang_up(asker.exchange)
            await until(lambda: server.open_now == 0)
            await until(lambda: psutil.Process().num_fds() <= files)
            assert asker.http.in_flight == 0
