"""uvicorn's HTTP protocol with bounds: on heads, bodies, pipelines, and on how long any of them may take to arrive.

Its parser is C and fast but keeps whatever it is sent. What goes beyond a bound, and what the parser refuses, gets one
problem and the connection is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from demo_workers.services.gateway.web.problems import CLOSE, Answer, Headers, Problem, unavailable

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers."""

MAX_BODY = 64 * 1024
"""Bytes of a body; the app checks it, since only the app knows whether a body was wanted at all."""

MAX_RAW_BODY = 8 * MAX_BODY
"""Bytes on the wire for one body: a chunk of one byte costs six, so that even those fit."""

SLICE = 4 * 1024
"""The parser is fed in pieces of this size. A piece that begins and ends in a head is all head: that counts what the
parser holds back, to within one piece, though a read may hold the end of one message and the head of the next."""

MAX_PIPELINED = 16
READ_S = 10.0
"""A request has this long to arrive, from its first byte to the last of its body."""

WRITE_S = 10.0
"""A client that takes nothing of its answer for so long is cut off: what waits for it is held in memory."""

LINGER_S = 1.0
"""How long a client that was refused may go on sending before it is cut off. Source: RFC 9112, section 9.6."""

MAX_CONNECTIONS = 4096


AtOnce = Callable[[bytes, bytes, Headers], Answer | None]
"""An app may have a method ``at_once``: from method, target and headers to an answer, or None to be called as ever."""


class _Refused(Exception):
    """Stops the parser from within a callback."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = True
        self._head_bytes = 0  # what the parser has handed out of the present head
        self._raw_bytes = 0  # what it was fed since the message last moved on
        self._moved = 0
        self._reading_since: float | None = None
        self._problem: Problem | None = None
        self._deaf = False
        self._lingering_since: float | None = None
        self._unread_since: float | None = None
        self._at_once: AtOnce = getattr(config.loaded_app, "at_once", _never)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        self._reading_since = self.loop.time()
        if len(self.connections) > MAX_CONNECTIONS:
            self._deaf = True
            self._write(unavailable("Too many connections are open.", limit=MAX_CONNECTIONS).answer(), CLOSE)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, within bounds."""
        self._unset_keepalive_if_required()
        if self._reading_since is None:
            self._reading_since = self.loop.time()
        for piece in _pieces(data):
            self._feed(piece)

    def shutdown(self) -> None:
        """Called when the server closes: whoever has an answer coming gets it, the rest are told to come back."""
        self._deaf = True
        cycle = self._unanswered
        if cycle is not None and cycle.more_body:
            self._refuse(unavailable("The gateway is closing."))
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """More waits to be read by the client than we like to hold: the app waits too."""
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._unread_since = None

    def check_time(self, now: float) -> None:
        """Called once a second: close the connection if its request, its reader or its end is too long in coming."""
        if self._unread_since is not None and now - self._unread_since > WRITE_S:
            self.transport.abort()
            return
        if self._lingering_since is not None and now - self._lingering_since > LINGER_S:
            self.transport.close()
        late = self._reading_since is not None and now - self._reading_since > READ_S
        # reading is paused while an earlier request of the same connection is being answered: that is our doing
        if late and not self._deaf and not self.flow.read_paused:
            self._refuse(Problem(408, f"The request did not arrive within {READ_S:g} seconds."))

    # Parser callbacks --------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._moved += 1
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header, or a trailer of a chunked body."""
        # nobody asks for trailers, but they count
        self._count_head(len(name) + len(value) + 4)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: the app begins, unless it has an answer at once."""
        if not self._answered_at_once():
            super().on_headers_complete()
        self._moved += 1
        self._in_head = False
        if len(self.pipeline) > MAX_PIPELINED:
            raise _Refused

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._moved += 1
        self._in_head = True
        self._reading_since = None
        super().on_message_complete()

    def _answered_at_once(self) -> bool:
        """Some answers need neither the body nor a task of their own: refusing must be cheap when everybody comes."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        # uvicorn passes over the body of a request whose answer is complete, so there must have been one before
        if cycle is None or not cycle.response_complete or self.flow.write_paused or self.expect_100_continue:
            return False
        if self.parser.should_upgrade() or not self.parser.should_keep_alive():
            return False
        answer = self._at_once(self.parser.get_method(), self.url, self.headers)
        if answer is None:
            return False
        self._write(answer)
        self.on_response_complete()
        return True

    # Bounds ------------------------------------------------------------------------------------------------------

    def _feed(self, piece: bytes | memoryview) -> None:
        if self._deaf:
            return
        moved = self._moved
        try:
            self.parser.feed_data(piece)
            self._raw_bytes = self._raw_bytes + len(piece) if moved == self._moved else 0
            if self._raw_bytes > (MAX_HEAD if self._in_head else MAX_RAW_BODY):
                self._refuse(_too_large(self._in_head))
        except httptools.HttpParserUpgrade:
            # RFC 9110 lets a server go on in HTTP/1.1; what follows on this connection is anybody's guess
            self._end_after_answers()
        except httptools.HttpParserError:
            self._refuse(self._problem or Problem(400, "This is not HTTP/1.1 as this server reads it."))

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD:
            self._problem = _too_large(head=True)
            raise _Refused

    @property
    def _unanswered(self) -> RequestResponseCycle | None:
        """The newest request, if its answer is not complete."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem and close, unless that answer would be taken for another request's."""
        self._deaf = True
        cycle = self._unanswered
        mine = cycle is None if self._in_head else cycle is not None and not self.pipeline
        if mine and not (cycle is not None and cycle.response_started):
            self._write(problem.answer(), CLOSE)
            self._linger()
        elif self._in_head:
            self._end_after_answers()
        else:
            self._linger()

    def _linger(self) -> None:
        """Close our half. Closing all of it while the client is still sending would cost it the answer."""
        if not self.transport.is_closing():
            self._lingering_since = self.loop.time()
            self.transport.write_eof()

    def _write(self, answer: Answer, *more: tuple[bytes, bytes]) -> None:
        headers = [*self.server_state.default_headers, *answer.headers, *more]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[answer.status], lines, answer.body))

    def _end_after_answers(self) -> None:
        self._deaf = True
        cycle = self._unanswered
        if cycle is None:
            self.transport.close()
        else:
            cycle.keep_alive = False


def _never(method: bytes, target: bytes, headers: Headers) -> None:
    """For an app that has nothing to say at once."""


def _pieces(data: bytes) -> list[bytes | memoryview]:
    if len(data) <= SLICE:
        return [data]
    view = memoryview(data)
    return [view[start : start + SLICE] for start in range(0, len(data), SLICE)]


def _too_large(head: bool) -> Problem:
    if head:
        return Problem(431, f"Request line and headers may have {MAX_HEAD} bytes together.", limit_bytes=MAX_HEAD)
    return Problem(413, f"A body may have {MAX_BODY} bytes.", limit_bytes=MAX_BODY)
