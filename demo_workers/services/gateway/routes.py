"""What can be done here: the one table that requests are routed by and that the OpenAPI document is written from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from demo_workers.services.gateway import bodies
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.problems import Answer, Problem, Stream

Handler = Callable[[Scope, Receive], Awaitable[Answer | Stream]]
Methods = Mapping[str, Handler]

JOB_ID = "[A-Za-z0-9_-]{1,64}"

ALWAYS = (400, 408, 431, 503)
"""Whatever is asked for: a broken head, one that does not arrive, one that is too large, or too many connections."""

_NO_ORDER = (411, 413, 415, 422)
_NAMES = ("Workbook-Client", "Workbook-Attempt")


class Said(NamedTuple):
    """A good answer.

    Attributes:
        meaning: a sentence.
        body: its shapes, or the media type of what is no JSON; None for no body.
        headers: those that it may have beside the usual ones.
    """

    meaning: str
    body: tuple[type, ...] | str | None
    headers: tuple[str, ...] = ()


class Route(NamedTuple):
    """A method on a path.

    Attributes:
        operation: name of its handler, and of the operation in the document.
        headers: those of the request that it looks at.
        order: whether the body is a task with its arguments.
        says: status to good answer.
        problems: statuses of the problems it may have beside those of ``ALWAYS``.
    """

    method: str
    path: str
    operation: str
    summary: str
    says: Mapping[int, Said]
    problems: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    order: bool = False


_JOB = {200: Said("The job.", (bodies.Job,))}
_HEALTH = {200: Said("Jobs can come in.", (bodies.Health,))}

ROUTES = (
    Route(
        "POST",
        "/jobs",
        "post_job",
        "Let a job in, or refuse it.",
        {
            200: Said(
                "The job has ended while its client waited.",
                (bodies.Finished, bodies.Failed),
                ("Location", "Preference-Applied"),
            ),
            202: Said("The job is in.", (bodies.Accepted,), ("Location", "Preference-Applied")),
        },
        (*_NO_ORDER, 429),
        ("Prefer", "Idempotency-Key", "Priority", *_NAMES, "Workbook-Deadline"),
        order=True,
    ),
    Route("GET", "/jobs/{id}", "get_job", "A job: its status, progress, result.", _JOB, (404,)),
    Route("HEAD", "/jobs/{id}", "get_job", "Whether there is such a job.", _JOB, (404,)),
    Route(
        "DELETE",
        "/jobs/{id}",
        "cancel_job",
        "Take a job that waits out of the queue.",
        {200: Said("The job will not run.", (bodies.Cancelled,))},
        (404, 409),
    ),
    Route(
        "GET",
        "/jobs/{id}/events",
        "job_events",
        "Hear what becomes of a job, as Server-Sent Events.",
        {
            200: Said("queued, started, progress, and how it ended.", "text/event-stream"),
            204: Said("Its end was heard before: do not connect again.", None),
        },
        (404,),
        ("Last-Event-ID",),
    ),
    Route(
        "POST",
        "/sync",
        "work_inline",
        "Do the work inside the request, without a queue.",
        {200: Said("The work is done, or has failed.", (bodies.Done, bodies.InlineFailed))},
        _NO_ORDER,
        order=True,
    ),
    Route("GET", "/healthz", "health", "Whether jobs can come in, and how many are inside.", _HEALTH),
    Route("HEAD", "/healthz", "health", "Whether jobs can come in.", _HEALTH),
    Route("GET", "/metrics", "metrics", "Counts for Prometheus.", {200: Said("The counts.", "text/plain")}),
    Route("GET", "/openapi.json", "describe", "This document.", {200: Said("OpenAPI 3.1.", ())}),
)


class Table:
    """Finds the handler for a request.

    Args:
        handlers: by the names of the operations.

    Raises:
        KeyError: an operation has no handler.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        methods: dict[str, dict[str, Handler]] = {}
        for route in ROUTES:
            methods.setdefault(route.path, {})[route.method] = handlers[route.operation]
        self._fixed = {path: found for path, found in methods.items() if "{" not in path}
        self._patterns = [
            (re.compile(path.replace("{id}", f"(?P<id>{JOB_ID})")), found)
            for path, found in methods.items()
            if "{" in path
        ]

    def handler(self, scope: Scope) -> Handler:
        """The handler; what the path says goes into the scope as ``path_params``.

        Raises:
            Problem: 404, or 405 with the methods that are allowed.
        """
        methods = self._fixed.get(scope["path"]) or self._matching(scope)
        handler = methods.get(scope["method"])
        if handler is None:
            allowed = ", ".join(methods)
            raise Problem(405, f"Only {allowed} can be done here.", [(b"allow", allowed.encode())])
        return handler

    def _matching(self, scope: Scope) -> Methods:
        path: str = scope["path"]
        for pattern, methods in self._patterns:
            if match := pattern.fullmatch(path):
                scope["path_params"] = match.groupdict()
                return methods
        if path.startswith("/jobs/"):
            raise Problem(404, "There is no such job here; results are kept for a while only.")
        raise Problem(404, "There is nothing here. Jobs are posted to /jobs; /openapi.json says what else there is.")
