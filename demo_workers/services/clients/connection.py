"""A small HTTP/1.1 client for load: one exchange per connection at a time, idle connections are used again.

No coroutine runs per exchange: a callback says how it ended. The parser is llhttp's, in C, so that the generator
measures the system and not itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools

MAX_ANSWER_BYTES = 2**20
"""An answer that grows past this is no answer; the connection is closed."""

REDIAL_S = 1.0
"""A unix socket whose backlog is full says so at once; TCP would send its SYN again after a second. So do we."""

Address = dict[str, str | int]
"""``{"uds": path}`` or ``{"host": name, "port": number}``."""


class Answer(NamedTuple):
    """A whole HTTP answer; ``retry_after`` is the header's value, empty if there was none."""

    status: int
    body: bytes
    retry_after: bytes


Done = Callable[[Answer | None], None]


class Exchange:
    """One request on its way: ends with one call of ``done`` (None: no answer will come), or is hung up."""

    __slots__ = ("connection", "data", "dialling", "done")

    def __init__(self, data: bytes, done: Done) -> None:
        self.data = data
        self.done: Done | None = done
        self.connection: Connection | None = None
        self.dialling: asyncio.Task[None] | None = None


class HttpClient:
    """Sends requests to one address over as many connections as there are requests in flight."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: dict[Connection, None] = {}  # an ordered set; the one used last is taken first
        self.in_flight = 0
        self.generation = 0

    def redirect(self, address: Address) -> None:
        """Dial another address from now on; what is in flight ends where it is, and its connection then closes."""
        self._address = address
        self.generation += 1
        self.close()

    def send(self, data: bytes, done: Done) -> Exchange:
        """Let the bytes of one request leave; ``done`` is called later, never from within this call."""
        exchange = Exchange(data, done)
        self.in_flight += 1
        if self._idle:
            self._idle.popitem()[0].carry(exchange)
        else:
            self.dial(exchange)
        return exchange

    def hang_up(self, exchange: Exchange) -> None:
        """Close the exchange's connection; its ``done`` is not called any more. Harmless when it has ended."""
        if exchange.done is None:
            return
        exchange.done = None
        self.in_flight -= 1
        if exchange.dialling is not None:
            exchange.dialling.cancel()
        if exchange.connection is not None:
            exchange.connection.abort()

    def close(self) -> None:
        """Close the idle connections."""
        for connection in list(self._idle):
            connection.abort()
        self._idle.clear()

    def dial(self, exchange: Exchange) -> None:
        """Open a connection for the exchange."""
        exchange.dialling = asyncio.get_running_loop().create_task(self._connect(exchange))

    def end(self, exchange: Exchange, answer: Answer | None) -> None:
        """The exchange is over (called by its connection)."""
        done, exchange.done, exchange.connection = exchange.done, None, None
        if done is not None:
            self.in_flight -= 1
            done(answer)

    def keep(self, connection: Connection) -> None:
        """The connection may carry another exchange."""
        if connection.generation == self.generation:
            self._idle[connection] = None
        else:
            connection.abort()

    def drop(self, connection: Connection) -> None:
        """The connection is closed."""
        self._idle.pop(connection, None)

    async def _connect(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    if "uds" in self._address:
                        path = str(self._address["uds"])
                        await loop.create_unix_connection(lambda: Connection(self, exchange), path)
                    else:
                        host, port = str(self._address["host"]), int(self._address["port"])
                        await loop.create_connection(lambda: Connection(self, exchange), host, port)
                    break
                except BlockingIOError:
                    await asyncio.sleep(REDIAL_S)
        except OSError:
            self.end(exchange, None)
        finally:
            exchange.dialling = None


class Connection(asyncio.Protocol):
    """One socket and the exchange that it carries."""

    def __init__(self, client: HttpClient, exchange: Exchange) -> None:
        self._client = client
        self.generation = client.generation
        self._exchange: Exchange | None = exchange
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reused = self._whole = self._surplus = self._keep = False
        self._seen = self._status = 0
        self._retry_after = b""
        self._body: list[bytes] = []

    def carry(self, exchange: Exchange) -> None:
        """Send an exchange over this idle connection."""
        assert self._transport is not None
        self._exchange, exchange.connection = exchange, self
        self._reused, self._seen = True, 0
        self._transport.write(exchange.data)

    def abort(self) -> None:
        """Close at once; whatever was carried is forgotten."""
        self._exchange = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open: the request leaves."""
        self._transport = cast("asyncio.Transport", transport)
        exchange = self._exchange
        if exchange is None or exchange.done is None:  # hung up while dialling
            self.abort()
            return
        exchange.connection = self
        self._transport.write(exchange.data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed: an exchange still on it has failed, or starts over."""
        self._client.drop(self)
        exchange, self._exchange, self._transport = self._exchange, None, None
        del self._parser  # it holds our methods: without this each connection would wait for the cycle collector
        if exchange is None:
            return
        exchange.connection = None
        if self._reused and self._seen == 0 and exchange.done is not None:
            # Servers close idle connections, perhaps just as we write. A second try cannot do the work twice:
            # the attempt's name makes it a duplicate.
            self._client.dial(exchange)
        else:
            self._client.end(exchange, None)

    def data_received(self, data: bytes) -> None:
        """Part of an answer, perhaps its last."""
        self._seen += len(data)
        try:
            if self._exchange is not None and self._seen <= MAX_ANSWER_BYTES:
                self._parser.feed_data(data)
            else:
                self._surplus = True
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._surplus = True
        if self._whole:
            self._finish()
        elif self._surplus:
            self._break()

    def on_message_begin(self) -> None:
        """Parser: an answer begins; one too many if a whole one is there."""
        self._surplus = self._whole

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header."""
        if len(name) == 11 and not self._whole and name.lower() == b"retry-after":
            self._retry_after = value

    def on_body(self, body: bytes) -> None:
        """Parser: a part of the body."""
        if not self._whole:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser: an answer ends."""
        status = self._parser.get_status_code()
        if status >= 200 and not self._whole:  # 1xx only announce an answer
            # the parser forgets both when it goes on to the next message
            self._whole, self._status, self._keep = True, status, self._parser.should_keep_alive()

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        answer = Answer(self._status, b"".join(self._body), self._retry_after)
        self._body, self._retry_after, self._whole = [], b"", False
        assert exchange is not None
        if self._surplus or not self._keep:
            self.abort()
        else:
            self._client.keep(self)
        self._client.end(exchange, answer)

    def _break(self) -> None:
        exchange = self._exchange
        self.abort()
        self._client.drop(self)
        if exchange is not None:
            self._client.end(exchange, None)
