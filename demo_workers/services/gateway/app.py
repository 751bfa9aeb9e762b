"""The ASGI application: finds the handler, sends its answer."""

from __future__ import annotations

from contextlib import aclosing

from demo_workers.services.gateway import openapi
from demo_workers.services.gateway.door.posting import Posting
from demo_workers.services.gateway.inline import Inline
from demo_workers.services.gateway.metrics import Metrics
from demo_workers.services.gateway.news.cancelling import Cancelling
from demo_workers.services.gateway.news.looking import Looking
from demo_workers.services.gateway.news.streaming import Streaming
from demo_workers.services.gateway.routes import Table
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.asgi import ClientGone, Receive, Scope, Send
from demo_workers.services.gateway.web.problems import Answer, Headers, Problem, Stream


class App:
    """A raw ASGI application: no framework, since this path is what the load experiments measure.

    Args:
        state: what the handlers share.
        inline: does work without a queue.
        hosts: values of the Host header that are answered; None answers all (a unix socket has no name to forge).
        heartbeat_s: how often a stream that has no news says so (seconds).
    """

    def __init__(self, state: State, inline: Inline, hosts: frozenset[bytes] | None, *, heartbeat_s: float) -> None:
        looking, self._posting = Looking(state), Posting(state)
        self._state = state
        self._hosts = hosts
        self._table = Table(
            {
                "post_job": self._posting,
                "get_job": looking.job,
                "cancel_job": Cancelling(state),
                "job_events": Streaming(state, looking, heartbeat_s),
                "work_inline": inline,
                "health": looking.health,
                "metrics": Metrics(state, inline),
                "describe": openapi.describe,
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer: Answer | Stream
        try:
            self._check_host(scope["headers"], scope["http_version"])
            answer = await self._table.handler(scope)(scope, receive)
        except Problem as problem:
            answer = problem.answer()
        except ClientGone:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if isinstance(answer, Answer):
            await send({"type": "http.response.body", "body": answer.body})
            return
        async with aclosing(answer.parts) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    def at_once(self, method: bytes, target: bytes, headers: Headers) -> Answer | None:
        """A refusal from memory; None for whatever needs more."""
        if target != b"/jobs" or method != b"POST" or self._state.refusals.remembered() is None:
            return None
        try:
            self._check_host(headers)
            return self._posting.at_once(headers)
        except Problem:
            return None  # the longer way says what is wrong

    def _check_host(self, headers: Headers, http_version: str = "1.1") -> None:
        """A page elsewhere can make a browser send requests to loopback under another name: those are refused."""
        given = [value for name, value in headers if name == b"host"]
        if len(given) > 1 or (not given and http_version == "1.1"):
            raise Problem(400, "Send exactly one Host header.")
        if self._hosts is not None and (not given or given[0].lower() not in self._hosts):
            raise Problem(400, "This server does not go by that name.")
