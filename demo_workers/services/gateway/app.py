"""The ASGI application: finds the handler, sends its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from demo_workers.services.gateway.asgi import ClientGone, Receive, Scope, Send
from demo_workers.services.gateway.looking import Looking
from demo_workers.services.gateway.posting import Posting
from demo_workers.services.gateway.problems import Answer, Headers, Problem
from demo_workers.services.gateway.state import State

Handler = Callable[[Scope, Receive], Awaitable[Answer]]
Methods = Mapping[str, Handler]


class App:
    """A raw ASGI application: no framework, since this path is what the load experiments measure.

    Args:
        state: what the handlers share.
        hosts: values of the Host header that are answered; None answers all (a unix socket has no name to forge).
    """

    def __init__(self, state: State, hosts: frozenset[bytes] | None) -> None:
        looking, self._posting = Looking(state), Posting(state)
        self._state = state
        self._hosts = hosts
        self._paths: dict[str, Methods] = {
            "/jobs": {"POST": self._posting},
            "/healthz": {"GET": looking.health, "HEAD": looking.health},
        }
        self._job: Methods = {"GET": looking.job, "HEAD": looking.job}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            answer = await self._handler(scope)(scope, receive)
        except Problem as problem:
            answer = problem.answer()
        except ClientGone:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def at_once(self, method: bytes, target: bytes, headers: Headers) -> Answer | None:
        """A refusal from memory; None for whatever needs more."""
        if target != b"/jobs" or method != b"POST" or self._state.refusals.remembered() is None:
            return None
        try:
            self._check_host(headers)
            return self._posting.at_once(headers)
        except Problem:
            return None  # the longer way says what is wrong

    def _handler(self, scope: Scope) -> Handler:
        self._check_host(scope["headers"], scope["http_version"])
        path: str = scope["path"]
        methods = self._paths.get(path)
        if methods is None:
            if not path.startswith("/jobs/"):
                raise Problem(404, "There is nothing here. Jobs are posted to /jobs.")
            methods = self._job
        handler = methods.get(scope["method"])
        if handler is None:
            allowed = ", ".join(methods)
            raise Problem(405, f"Only {allowed} can be done here.", [(b"allow", allowed.encode())])
        return handler

    def _check_host(self, headers: Headers, http_version: str = "1.1") -> None:
        """A page elsewhere can make a browser send requests to loopback under another name: those are refused."""
        given = [value for name, value in headers if name == b"host"]
        if len(given) > 1 or (not given and http_version == "1.1"):
            raise Problem(400, "Send exactly one Host header.")
        if self._hosts is not None and (not given or given[0].lower() not in self._hosts):
            raise Problem(400, "This server does not go by that name.")
