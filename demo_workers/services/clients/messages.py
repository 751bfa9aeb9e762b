"""What a client says to the gateway and how it understands the answer."""

from __future__ import annotations

import math

import msgspec

from demo_workers.records.events import ClientOutcome
from demo_workers.scenario import Work
from demo_workers.services.clients.connection import Address, Answer

LONGEST_WAIT_S = 30
"""The gateway holds no answer back for longer."""

_HEAD = (
    b"POST /jobs HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Workbook-Client: %d\r\nWorkbook-Attempt: %d.%d\r\nPrefer: wait=%d\r\n%b\r\n%b"
)

URGENT = b"Priority: u=1\r\n"
"""Of RFC 9218's urgencies 0 to 7 the second; who says nothing has 3."""


class _Problem(msgspec.Struct):
    """The part of a refusal's RFC 9457 body that a client acts upon."""

    retry_after_s: float | None = None


class _Job(msgspec.Struct):
    """The part of a 200's body that a client acts upon."""

    status: str = ""


_problem = msgspec.json.Decoder(_Problem)
_job = msgspec.json.Decoder(_Job)


def host(address: Address) -> bytes:
    """The Host header for an address; a unix socket has no name, so it gets one."""
    return b"workbook" if "uds" in address else f"{address['host']}:{address['port']}".encode()


def body(service_time_s: float, work: Work) -> bytes:
    """The body of a job, the same for every attempt of a request."""
    return msgspec.json.encode({"task": "work", "args": {"service_time_s": service_time_s, "kind": work}})


def attempt(
    host: bytes, client: int, request: int, attempt: int, timeout_s: float | None, body: bytes, more: bytes = b""
) -> bytes:
    """The bytes of one attempt; ``more`` are further header lines, each with its end.

    RFC 7240 waits whole seconds, so patience is rounded up; our own timer is exact.
    """
    wait = LONGEST_WAIT_S if timeout_s is None else math.ceil(timeout_s)
    return _HEAD % (host, len(body), client, request, attempt, wait, more, body)


def deadline(left_s: float) -> bytes:
    """The header line that says for how many more seconds the client will wait."""
    return b"Workbook-Deadline: %.6f\r\n" % max(left_s, 0.0)


def idempotency_key(run: str, request: int) -> bytes:
    """The header line by which the attempts of one request are known as the same wish."""
    return b"Idempotency-Key: %b-%d\r\n" % (run.encode(), request)


def outcome(answer: Answer | None) -> ClientOutcome:
    """What an answer (None: the connection broke) means for its attempt."""
    if answer is None:
        return ClientOutcome.ERRORED
    if answer.status == 200:
        try:
            failed = _job.decode(answer.body).status == "failed"
        except msgspec.DecodeError:
            return ClientOutcome.ERRORED
        return ClientOutcome.ERRORED if failed else ClientOutcome.SUCCEEDED
    if answer.status == 202:  # the gateway stopped waiting before our own timer did
        return ClientOutcome.TIMED_OUT
    return ClientOutcome.REFUSED if answer.status in (429, 503) else ClientOutcome.ERRORED


def retry_after_s(answer: Answer) -> float | None:
    """Seconds that a refusal asks to wait: the exact number of its body, else the header's whole ones, else None."""
    try:
        told = _problem.decode(answer.body).retry_after_s
    except msgspec.DecodeError:
        told = None
    if told is None and answer.retry_after.isdigit():
        told = float(answer.retry_after)
    return told if told is not None and 0 <= told < math.inf else None
