"""What the gateway says when it cannot do what was asked: RFC 9457 problem bodies.

Which status means what: 400 the message itself is broken (JSON, headers, Host), 422 it is fine JSON that no task takes,
429 not you now and 503 nobody now, both with ``Retry-After``. No other 5xx is ever meant.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import OutOfMemoryError

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
PROBLEM_JSON = (b"content-type", b"application/problem+json")
CLOSE = (b"connection", b"close")

LONGEST_RETRY_AFTER_S = 3600.0
"""Past an hour the number says nothing but "not today"."""


class Answer(NamedTuple):
    """A whole HTTP answer."""

    status: int
    headers: Headers
    body: bytes


class Stream(NamedTuple):
    """An answer that is sent piece by piece; ``parts`` ends with it, also when the client hangs up."""

    status: int
    headers: Headers
    parts: AsyncGenerator[bytes, None]


class Problem(Exception):
    """Raised by a handler; becomes the answer.

    Args:
        status: HTTP status.
        detail: a sentence for the person who reads it.
        headers: further headers.
        members: further members of the body.
    """

    def __init__(self, status: int, detail: str, headers: Headers | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self._detail, self._headers, self._members = detail, headers or [], members

    def answer(self) -> Answer:
        """As HTTP; RFC 9457 without a ``type`` means that the title is the status's own phrase."""
        body = {"title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self._detail}
        return answer(self.status, [PROBLEM_JSON, *self._headers], body | self._members)


def answer(status: int, headers: Headers, body: Any) -> Answer:
    """An answer whose body is ``body`` as JSON; ``headers`` say which kind of JSON."""
    data = msgspec.json.encode(body)
    return Answer(status, [*headers, (b"content-length", b"%d" % len(data))], data)


def unavailable(detail: str, retry_after_s: float = 1.0, headers: Headers | None = None, **members: Any) -> Problem:
    """A 503 that asks to come back after ``retry_after_s`` seconds: the system cannot take more now."""
    return _come_back(503, detail, retry_after_s, headers, members)


def too_many_requests(retry_after_s: float, **members: Any) -> Problem:
    """A 429 that asks to come back after ``retry_after_s`` seconds: this client has asked too often."""
    detail = "This client sends more requests than it may. Others are not concerned."
    return _come_back(429, detail, retry_after_s, None, members)


def _come_back(
    status: int, detail: str, retry_after_s: float, headers: Headers | None, members: dict[str, Any]
) -> Problem:
    """The header has whole seconds, rounded up and at least 1, as RFC 9110 wants them; the body has the number."""
    retry_after_s = min(retry_after_s, LONGEST_RETRY_AFTER_S)
    retry_after = (b"retry-after", b"%d" % max(1, math.ceil(retry_after_s)))
    return Problem(status, detail, [retry_after, *(headers or [])], retry_after_s=retry_after_s, **members)


def redis_gone(error: Exception | None = None) -> Problem:
    """The 503 for a Redis that does not answer, or answers that its memory is full."""
    if isinstance(error, OutOfMemoryError):
        return unavailable("Redis has no memory left. Nothing can be let in until it has.")
    return unavailable("Redis does not answer. Nothing can be let in until it does.")
