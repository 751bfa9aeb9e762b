"""What the headers of ``POST /jobs`` say, checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from demo_workers.services.gateway.web.http_protocol import MAX_BODY
from demo_workers.services.gateway.web.problems import Problem

LONGEST_WAIT_S = 30
LONGEST_DEADLINE_S = 3600
URGENT = 2
"""Urgencies up to this go first, of 0 to 7. Source: RFC 9218; who says nothing has 3."""

FIRST_OWN_REQUEST = 2**30
"""Requests that do not name themselves are numbered from here, so that they never meet those of load clients."""

KEY = b"idempotency-key"
MAX_ATTEMPT = 2**16 - 1
MAX_CLIENT = 2**31 - 1

_WAIT = re.compile(rb'(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:$|[,;])', re.IGNORECASE)
_ATTEMPT = re.compile(rb"([0-9]{1,10})\.([0-9]{1,5})")
_URGENCY = re.compile(rb"(?:^|,)\s*u=([0-7])\s*(?=$|[,;])")
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")
_SECONDS = re.compile(rb"[0-9]{1,4}(?:\.[0-9]{1,9})?")
_LENGTH = re.compile(rb"[0-9]+")
_NUMBER = re.compile(rb"[0-9]{1,10}")


Head = dict[bytes, bytes]
"""The headers by their names in lower case."""


class Name(NamedTuple):
    """Which attempt of which request this is, and whose; client -1 did not say."""

    request: int
    attempt: int
    client: int


_LISTS = (b"prefer", b"priority")


def read(headers: Sequence[tuple[bytes, bytes]]) -> Head:
    """The headers; several of a list are one list, of the others the last counts."""
    head = dict(headers)
    if len(head) < len(headers):
        for name in _LISTS:
            if name in head:
                head[name] = b",".join(value for given, value in headers if given == name)
    return head


def name(head: Head, own_request: Callable[[], int]) -> Name:
    """Who is asking.

    Args:
        head: the headers.
        own_request: gives a number to a request that does not name itself.

    Raises:
        Problem: a name is no name (400).
    """
    client, given = -1, head.get(b"workbook-client")
    if given:
        if not _NUMBER.fullmatch(given) or int(given) > MAX_CLIENT:
            raise Problem(400, f"Workbook-Client: must be a whole number between 0 and {MAX_CLIENT}.")
        client = int(given)
    given = head.get(b"workbook-attempt")
    if not given:
        return Name(own_request(), 1, client)
    match = _ATTEMPT.fullmatch(given)
    request, attempt = (int(match[1]), int(match[2])) if match else (-1, -1)
    if not (0 <= request < FIRST_OWN_REQUEST and 1 <= attempt <= MAX_ATTEMPT):
        bounds = f"the first below {FIRST_OWN_REQUEST}, the second between 1 and {MAX_ATTEMPT}"
        raise Problem(400, f"Workbook-Attempt: must be two whole numbers with a point between, {bounds}.")
    return Name(request, attempt, client)


def wait_s(head: Head) -> int | None:
    """Seconds that ``Prefer: wait=`` asks for, at most 30; None without it.

    RFC 7240: a preference that is not understood is ignored.
    """
    given = head.get(b"prefer")
    match = _WAIT.search(given) if given else None
    return None if match is None else min(int(match[1]), LONGEST_WAIT_S)


def urgent(head: Head) -> bool:
    """Whether ``Priority: u=`` is at most ``URGENT``.

    RFC 9218: a priority that is not understood is ignored, and the last one counts.
    """
    given = head.get(b"priority")
    if not given:
        return False
    found = _URGENCY.findall(given)
    return bool(found) and int(found[-1]) <= URGENT


def deadline_s(head: Head) -> float | None:
    """Seconds that the client will still wait, as ``Workbook-Deadline`` says; None without it.

    Raises:
        Problem: it is no such number (400).
    """
    given = head.get(b"workbook-deadline")
    if not given:
        return None
    if not _SECONDS.fullmatch(given) or float(given) > LONGEST_DEADLINE_S:
        raise Problem(400, f"Workbook-Deadline: must be seconds such as 0.953, at most {LONGEST_DEADLINE_S}.")
    return float(given)


def key_digest(head: Head, run: str) -> str:
    """``Idempotency-Key`` in a form of fixed length, each run's its own; empty without one.

    Quoted or not, the value is taken as it came. Source: draft-ietf-httpapi-idempotency-key-header.

    Raises:
        Problem: it is too long, or not printable ASCII (400).
    """
    given = head.get(KEY)
    if not given:
        return ""
    if not _KEY.fullmatch(given):
        raise Problem(400, "Idempotency-Key: must be 1 to 128 printable ASCII characters without spaces.")
    return f"{run}:{sha256(given).hexdigest()}"


def check_body(head: Head) -> None:
    """Refuse a body that is not JSON, not bounded or not announced, before reading it.

    Raises:
        Problem: 400, 411, 413 or 415.
    """
    length = head.get(b"content-length")
    if not length and not head.get(b"transfer-encoding"):
        raise Problem(411, "Send the body with a Content-Length.")
    if length:
        if not _LENGTH.fullmatch(length):
            raise Problem(400, "Content-Length: must be a whole number.")
        if len(length) > 9 or int(length) > MAX_BODY:
            raise too_large()
    kind = head.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" or head.get(b"content-encoding", b"").lower() not in (b"", b"identity"):
        raise Problem(415, "Send the job as plain application/json.")


def too_large() -> Problem:
    """The 413 for a body past its bound."""
    return Problem(413, f"A body may have {MAX_BODY} bytes.", limit_bytes=MAX_BODY)
