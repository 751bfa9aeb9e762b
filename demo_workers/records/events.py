"""The event record: one fixed-size row per thing that happened, appended to a file.

Clients and gateway each append to a file of their own with one ``write`` per event, so a file
survives the SIGKILL of its writer; a torn last row is dropped and counted by the reader.
All times are seconds since the run's origin on the machine's CLOCK_MONOTONIC; NaN means "did not happen".
"""

from __future__ import annotations

import os
import struct
import time
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")


class Kind(IntEnum):
    """What a row says. The comment tells which columns it uses beside ``t``, ``request`` and ``attempt``."""

    SENT = 1  # clients: actor = client, value = due_s
    ANSWERED = (
        2  # clients: status = HTTP status (0 = none), code = ClientOutcome, value = backoff_s, or NaN when there is
    )
    # no next attempt: then actor = NoRetry says why
    DECIDED = (
        3  # gateway: t = admitted_s or moment of refusal, code = Outcome, depth, limit (-1 = none), actor = client,
    )
    # value = 1 when the script never saw it: refused from a remembered "full", or by an admission policy
    STARTED = 4  # gateway: actor = worker number, value = picked_s, when the worker had taken the job from the queue
    ENDED = 5  # gateway: actor = worker number (-1 = none), code = Result; t is NaN where the function never returned,
    # and then value says when the job left the system
    HELD_BACK = 6  # clients: a guard kept this attempt from leaving: code = Guard, actor = client, value = due_s; it is
    # followed by its ANSWERED row (status 0, code REFUSED) and counts as THROTTLED


class Outcome(IntEnum):
    """What the gateway decided about an attempt."""

    ADMITTED = 1
    DUPLICATE = 2
    SHED = 3
    THROTTLED = 4
    ERRORED = 5  # no decision is on record: the attempt never reached the gateway, or was malformed


class ClientOutcome(IntEnum):
    """How an attempt ended for its client."""

    PENDING = 0  # still waiting when the record ends
    SUCCEEDED = 1  # learnt of the completion within its patience
    TIMED_OUT = 2  # patience for this attempt was over
    REFUSED = 3  # 503 or 429
    GAVE_UP = 4  # cut short by the request's deadline or by the end of the run
    ERRORED = 5  # the connection broke or the answer was no answer


class Result(IntEnum):
    """How an execution ended."""

    PENDING = 0
    OK = 1
    FAILED = 2
    DROPPED = 3
    CANCELLED = 4
    LOST = 5


class Guard(IntEnum):
    """Which guard of the clients kept an attempt from leaving."""

    BREAKER = 1
    THROTTLE = 2


class NoRetry(IntEnum):
    """Why a client made no further attempt."""

    DONE = 0  # it had succeeded, or the failure is not one that is retried
    ATTEMPTS = 1  # it had used them all, or the policy is none
    DEADLINE = 2  # the next attempt would come after the request's deadline
    BUDGET = 3
    BUCKET = 4
    CUSTOM = 5  # the reader's own next_try gave up


EVENT = np.dtype(
    [
        ("kind", "u1"),
        ("code", "u1"),
        ("status", "<u2"),
        ("attempt", "<u2"),
        ("_", "<u2"),
        ("actor", "<i4"),
        ("request", "<i4"),
        ("depth", "<i4"),
        ("limit", "<i4"),
        ("t", "<f8"),
        ("value", "<f8"),
    ]
)
"""One row, 40 bytes, little-endian."""

Events = NDArray[np.void]
_pack = struct.Struct("<BBHHHiiiidd").pack
assert struct.calcsize("<BBHHHiiiidd") == EVENT.itemsize


class EventWriter:
    """Appends rows to one file; each call is one ``write`` and so either there or not.

    Args:
        path: the file; created with mode 0600.
        origin: value of ``time.monotonic()`` that is second 0 of the run.
    """

    def __init__(self, path: Path, origin: float) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._origin = origin
        self.rows = 0

    def now(self) -> float:
        """Seconds since the run's origin."""
        return time.monotonic() - self._origin

    def write(
        self,
        kind: Kind,
        request: int,
        attempt: int,
        *,
        t: float,
        code: int = 0,
        status: int = 0,
        actor: int = -1,
        depth: int = -1,
        limit: int = -1,
        value: float = NAN,
    ) -> None:
        """Append one row; see ``Kind`` for the columns each kind uses."""
        os.write(self._fd, _pack(kind, code, status, attempt, 0, actor, request, depth, limit, t, value))
        self.rows += 1

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class NoWriter(EventWriter):
    """Counts rows and keeps none: a run without a record, with which the cost of recording is measured."""

    def __init__(self, origin: float) -> None:
        super().__init__(Path(os.devnull), origin)

    def write(self, *row: Any, **columns: Any) -> None:
        """Count one row; it is neither packed nor written."""
        self.rows += 1


def writer_to(path: Path, origin: float) -> EventWriter:
    """The writer of a file; that of ``os.devnull`` does no work at all."""
    return NoWriter(origin) if path == Path(os.devnull) else EventWriter(path, origin)


class EventTail:
    """Reads the rows that were added to a file since the last call, whole rows only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> Events:
        """New rows as an array of dtype ``EVENT``; empty while the file does not exist."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            data = b""
        whole = len(data) - len(data) % EVENT.itemsize
        self._offset += whole
        return np.frombuffer(data[:whole], dtype=EVENT)


def read_events(path: Path) -> tuple[Events, int]:
    """All whole rows of a file, and how many torn rows (0 or 1) were dropped at its end."""
    data = path.read_bytes() if path.exists() else b""
    torn = len(data) % EVENT.itemsize
    return np.frombuffer(data[: len(data) - torn], dtype=EVENT), int(torn > 0)
