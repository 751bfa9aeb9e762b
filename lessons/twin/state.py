"""Everything the twin remembers while it plays: rows of records, a few columns, and one record of registers.

The engine is written once, over records with named fields. As plain Python the records are small objects, and a policy
from a notebook's cell can be asked; compiled they are rows of structured arrays. So both engines have one semantics.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

NONE = -1
NAN = float("nan")
INF = float("inf")

Rows = Any
"""A structured array, or a list of objects with the same fields."""
Column = Any
"""A list, or an array of one dimension."""


def _record(reals: str, wholes: str, whole: str = "i4") -> np.dtype[Any]:
    return np.dtype([*((name, "f8") for name in reals.split()), *((name, whole) for name in wholes.split())])


ATTEMPT = _record(
    "due_s sent_s admitted_s answered_s seen_s backoff_s ended_s expires_s told_expires_s",
    "request attempt depth_seen limit status decided_status outcome client_outcome no_retry"
    " guard expiry out result before after ahead",
)
"""One attempt; the names are those of ``records.tables.ATTEMPT``. ``expires_s`` is when its client's patience is over,
``expiry`` what that is called, ``told_expires_s`` what the server knows of it, ``out`` whether the client still waits;
``result`` what became of its job, ``before`` and ``after`` its neighbours in the queue, ``ahead`` whether it stands
among the urgent; ``guard`` what held it back."""

REQUEST = _record("due_s service_s previous_s", "client urgent tries retry current job keyed", "i8")
"""One request: what the tape says, and how far it has come. ``retry`` and ``previous_s`` are what the backoff policy
remembers, ``current`` its latest attempt, ``keyed`` whether it has an idempotency key, ``job`` the attempt whose job
has that."""

EXECUTION = _record("picked_s started_s finished_s left_s", "row worker result")
"""One execution, or a job that left without one; ``row`` is its attempt's."""

WORKER = _record("idle_s above_at_s next_s", "here job slot cost dropping drops last_drops", "i8")
"""One worker ever hired. ``job`` is the execution in hand, ``slot`` whether it still holds a slot, ``cost`` its row of
``COST``; idle since ``idle_s``; the rest is what it remembers for CoDel (``Taker``)."""

COST = _record("before_s stretch_s after_s slot_s", "")
"""What one job costs beside its service time, as ``overheads.Overheads`` has it."""

EVENT = _record("t", "order kind what", "i8")
"""Something to come: when, in which order it was planned, what, and its argument."""

REGISTERS = _record(
    "t since_s budget_tokens budget_requests budget_at_s breaker_since_s throttle_requests throttle_accepts"
    " throttle_at_s bucket_missing adaptive_limit recent_s quiet_s",
    "rows executions heap order next head tail last_urgent urgent jobs inside waiting busy going workers idle_from idle"
    " done done_from turned stopped closing overflow breaker_position breaker_failures",
    "i8",
)
"""The twin's single numbers. ``t`` is the time (seconds), ``inside`` jobs that hold a slot, ``going`` requests that
have not ended, ``turned`` how many knobs have been turned, ``overflow`` whether more room is needed."""


class Sim(NamedTuple):
    """All of it.

    ``now`` has one row, the registers; ``params`` one for each stretch between two turned knobs. ``idle`` is a ring of
    idle workers, longest idle first; ``done_s`` when functions returned, in order; ``full_at_s`` when each client's
    bucket would be full again; ``thinks`` the think times of a closed loop per request, as multiples of their mean. A
    job has one of ``costs`` and, where an idle worker takes it, one of ``pickups_s``, drawn by ``cost_seed``.
    """

    seed: int
    attempts: Rows
    requests: Rows
    executions: Rows
    workers: Rows
    calendar: Rows
    now: Rows
    params: Rows
    idle: Column
    done_s: Column
    full_at_s: Column
    thinks: Column
    costs: Rows
    pickups_s: Column
    cost_seed: int


def make_rows(kind: np.dtype[Any], size: int, compiled: bool) -> Rows:
    """Fresh rows, all zeros: whoever uses a row first fills it in."""
    if compiled:
        return np.zeros(size, kind)
    names = kind.names or ()
    make, blank = _object(names), [0.0 if kind[name].kind == "f" else 0 for name in names]
    return [make(*blank) for _ in range(size)]


def to_array(rows: Rows, kind: np.dtype[Any], size: int) -> np.ndarray[Any, Any]:
    """The first ``size`` rows as a structured array."""
    if isinstance(rows, np.ndarray):
        return rows[:size]
    return np.array([tuple(getattr(row, name) for name in kind.names or ()) for row in rows[:size]], kind)


def registers(s: Sim) -> dict[str, float]:
    """The single numbers by name."""
    return dict(zip(REGISTERS.names or (), to_array(s.now, REGISTERS, 1)[0].tolist(), strict=True))


@cache
def _object(names: tuple[str, ...]) -> Any:
    """A class with these fields and nothing else, made by position."""
    lines = "".join(f"\n  self.{name} = {name}" for name in names)
    scope: dict[str, Any] = {}
    exec(f"def __init__(self, {', '.join(names)}):{lines}", scope)  # noqa: S102  # as dataclasses and namedtuple do
    return type("Record", (), {"__slots__": names, "__init__": scope["__init__"]})
