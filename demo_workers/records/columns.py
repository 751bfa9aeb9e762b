"""What the columns of a recorded run mean to somebody who has only its exported files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from demo_workers.records.events import ClientOutcome, Outcome, Result


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        meaning: in a sentence.
        unit: of its values, empty for names and counts of nothing.
        words: the enumeration whose names stand for its numbers.
        nothing: the number that means "none" or "did not happen"; NaN always does.
    """

    meaning: str
    unit: str = ""
    words: type[IntEnum] | None = None
    nothing: int | None = None


def _second(meaning: str) -> Column:
    since = "seconds since the run's beginning on one monotonic clock, empty where it did not happen"
    return Column(f"{meaning}; {since}", "s")


_REQUEST = Column("number of the request, from 0 in the order in which they were due")
_ATTEMPT = Column("number of the attempt at this request, from 1")

ATTEMPTS: Mapping[str, Column] = {
    "request": _REQUEST,
    "attempt": _ATTEMPT,
    "client": Column("number of the client; empty where no client of ours sent it", nothing=-1),
    "due_s": _second("when it was meant to leave"),
    "sent_s": _second("when it left"),
    "admitted_s": _second("when the gateway asked for its admission, which was granted"),
    "depth_seen": Column("jobs inside, itself included, that the script saw when it decided", "jobs", nothing=-1),
    "limit": Column("limit in force when it was decided; empty: none", "jobs", nothing=-1),
    "answered_s": _second("when its client had the answer"),
    "status": Column("HTTP status that the client saw; empty: no answer", nothing=0),
    "decided_status": Column("HTTP status that the gateway recorded; empty: it decided nothing", nothing=0),
    "outcome": Column("what the gateway decided", words=Outcome),
    "client_outcome": Column("how it ended for its client", words=ClientOutcome),
    "seen_s": _second("when the client learnt that the job was done"),
    "backoff_s": Column("pause that the client then made before its next attempt; empty: there was none", "s"),
}

EXECUTIONS: Mapping[str, Column] = {
    "request": _REQUEST,
    "attempt": _ATTEMPT,
    "worker": Column("number of the worker; empty where none ever had it", nothing=-1),
    "picked_s": _second("when a worker had taken its job from the queue"),
    "started_s": _second("when its function began"),
    "finished_s": _second("when its function returned"),
    "left_s": _second("when its job left the system, whether or not the function returned"),
    "result": Column("how it ended", words=Result),
}

STEERING: Mapping[str, Column] = {
    "t_s": _second("when it acted"),
    "knob": Column("what was turned, or the fault that was done to the system"),
    "value": Column("the new value, as JSON"),
}
