"""What the twin has noted, as the tables of a run, and as the event rows that a live run makes its tables of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo_workers.records import tables
from demo_workers.records.events import EVENT, NAN, Events, Kind, Outcome
from demo_workers.records.tables import Table
from lessons.twin.state import ATTEMPT, EXECUTION, REQUEST, Sim, registers, to_array

_ORDER = {Kind.SENT: 0, Kind.HELD_BACK: 0, Kind.DECIDED: 1, Kind.STARTED: 2, Kind.ENDED: 3, Kind.ANSWERED: 4}
"""In which order a system would write rows of one moment."""


def attempts(s: Sim) -> Table:
    """One row per attempt, exactly those that ``records.tables.attempts`` makes of the events."""
    a, client = _attempts(s)
    decided, held = a["decided_status"] > 0, np.isnan(a["sent_s"])
    table = np.empty(len(a), tables.ATTEMPT)
    for name in set(tables.ATTEMPT.names or ()) - {"client"}:
        table[name] = a[name]
    table["client"] = client
    for name in ("depth_seen", "limit"):
        table[name][~decided] = -1
    table["outcome"][~decided & ~held] = Outcome.ERRORED
    table["admitted_s"][table["outcome"] != Outcome.ADMITTED] = NAN
    order = np.argsort(tables.key(table), kind="stable")
    return table if np.all(order[1:] > order[:-1]) else tables.pick(table, order)


def executions(s: Sim) -> Table:
    """One row per execution, exactly those that ``records.tables.executions`` makes of the events."""
    e, began = _executions(s)
    a = to_array(s.attempts, ATTEMPT, int(registers(s)["rows"]))
    table = np.empty(len(e), tables.EXECUTION)
    for name in ("worker", "picked_s", "started_s", "finished_s", "left_s", "result"):
        table[name] = e[name]
    for name in ("request", "attempt"):
        table[name] = a[name][e["row"]]
    for name in ("picked_s", "started_s"):
        table[name][~began] = NAN
    order = np.lexsort((np.where(began, 0.0, table["left_s"]), table["started_s"]))
    return tables.pick(table, order)


def events(s: Sim) -> Events:
    """All rows, in order of time."""
    a, client = _attempts(s)
    sent, over = ~np.isnan(a["sent_s"]), ~np.isnan(a["ended_s"])
    decided_s = np.where(a["outcome"] == Outcome.ADMITTED, a["admitted_s"], a["sent_s"])
    who: dict[str, Any] = {"request": a["request"], "attempt": a["attempt"]}
    found = np.concatenate(
        [
            _rows(Kind.SENT, sent, t=a["sent_s"], actor=client, value=a["due_s"], **who),
            _rows(Kind.HELD_BACK, ~sent, t=a["due_s"], actor=client, value=a["due_s"], code=a["guard"], **who),
            _rows(
                *(Kind.DECIDED, a["decided_status"] > 0), t=decided_s, code=a["outcome"], status=a["decided_status"],
                depth=a["depth_seen"], limit=a["limit"], actor=client, **who,
            ),
            _rows(
                *(Kind.ANSWERED, over), t=a["ended_s"], code=a["client_outcome"], status=a["status"],
                value=a["backoff_s"], actor=a["no_retry"], **who,
            ),
            *_ends(s, who),
        ]
    )  # fmt: skip
    when = np.where(np.isnan(found["t"]), found["value"], found["t"])
    rank = np.zeros(256, np.int64)
    for kind, place in _ORDER.items():
        rank[kind] = place
    return np.asarray(found[np.lexsort((rank[found["kind"]], when))])


def _ends(s: Sim, attempts: dict[str, Any]) -> list[Events]:
    e, began = _executions(s)
    who: dict[str, Any] = {name: column[e["row"]] for name, column in attempts.items()}
    ended: dict[str, Any] = {"t": e["finished_s"], "code": e["result"], "actor": e["worker"], "value": e["left_s"]}
    return [
        _rows(Kind.STARTED, began, t=e["started_s"], actor=e["worker"], value=e["picked_s"], **who),
        _rows(Kind.ENDED, e["result"] > 0, **ended, **who),
    ]


def _attempts(s: Sim) -> tuple[Table, NDArray[np.int64]]:
    """The engine's rows, and the client of each."""
    a = to_array(s.attempts, ATTEMPT, int(registers(s)["rows"]))
    return a, to_array(s.requests, REQUEST, len(s.requests))["client"][a["request"]]


def _executions(s: Sim) -> tuple[Table, NDArray[np.bool_]]:
    """The engine's rows, and which have begun: one that was killed before its function began has no start."""
    e = to_array(s.executions, EXECUTION, int(registers(s)["executions"]))
    return e, ~np.isnan(e["started_s"]) & ~(e["started_s"] > e["left_s"])


def _rows(event: Kind, which: NDArray[np.bool_], **columns: Any) -> Events:
    rows = np.zeros(int(which.sum()), EVENT)
    rows["kind"] = event
    rows["actor"] = rows["depth"] = rows["limit"] = -1
    rows["value"] = NAN
    for name, column in columns.items():
        rows[name] = column[which]
    return rows
