"""From rows of events to two tables: attempts and executions.

Two processes wrote the rows without knowing of each other; joining them is where disagreement would show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.events import ClientOutcome, Events, Kind, Outcome, Result

ATTEMPT = np.dtype(
    [
        ("request", "i4"),
        ("attempt", "i4"),
        ("client", "i4"),
        ("due_s", "f8"),
        ("sent_s", "f8"),
        ("admitted_s", "f8"),
        ("depth_seen", "i4"),
        ("limit", "i4"),
        ("answered_s", "f8"),
        ("status", "i4"),
        ("decided_status", "i4"),
        ("outcome", "i4"),
        ("client_outcome", "i4"),
        ("seen_s", "f8"),
        ("backoff_s", "f8"),
    ]
)
"""One attempt of one request; ``sent_s`` is NaN where a guard of the client held it back. ``status`` is what the client
saw, ``decided_status`` what the gateway recorded; ``limit`` is the one in force when it was decided (-1: none); times
in seconds, NaN for "did not happen"."""

EXECUTION = np.dtype(
    [
        ("request", "i4"),
        ("attempt", "i4"),
        ("worker", "i4"),
        ("picked_s", "f8"),
        ("started_s", "f8"),
        ("finished_s", "f8"),
        ("left_s", "f8"),
        ("result", "i4"),
    ]
)
"""One execution of one attempt's job; ``picked_s`` is when a worker had taken it from the queue, ``left_s`` when it
left the system, whether or not its function returned; two for the same attempt is at-least-once, made visible."""

Table = NDArray[np.void]


def key(rows: Table) -> NDArray[np.int64]:
    """One number per (request, attempt)."""
    return (rows["request"].astype(np.int64) << 16) | rows["attempt"].astype(np.int64)


def pick(rows: Table, which: NDArray[Any]) -> Table:
    """``rows[which]``, some ten times faster: rows are moved whole instead of field by field."""
    whole = rows.view((np.void, rows.dtype.itemsize))
    return np.asarray(whole[which].view(rows.dtype))


def _first(rows: Events) -> Events:
    """The first row of each (request, attempt), sorted by it."""
    _, index = np.unique(key(rows), return_index=True)
    return rows[index]


def _in_force(decided: Events) -> Events:
    """The decision that holds for each (request, attempt), sorted by it: the one that let it in, or else the last.

    Mostly there is one. A client whose connection breaks before a word of the answer sends the same attempt again, and
    the gateway may see both.
    """
    rows = decided[np.lexsort((decided["code"] == Outcome.ADMITTED, key(decided)))]
    return rows[np.flatnonzero(np.diff(key(rows), append=-1))]


def attempts(events: Events) -> Table:
    """One row per attempt that a client sent or held back or the gateway decided, sorted by request and attempt."""
    sent, held, answered = (_first(events[events["kind"] == k]) for k in (Kind.SENT, Kind.HELD_BACK, Kind.ANSWERED))
    decided = _in_force(events[events["kind"] == Kind.DECIDED])
    keys = np.unique(np.concatenate([key(sent), key(held), key(decided)]))
    table = np.zeros(len(keys), ATTEMPT)
    for name in ("due_s", "sent_s", "admitted_s", "answered_s", "seen_s", "backoff_s"):
        table[name] = np.nan
    table["request"], table["attempt"] = keys >> 16, keys & 0xFFFF
    table["client"], table["depth_seen"], table["limit"] = -1, -1, -1
    table["outcome"] = Outcome.ERRORED  # unless the gateway has decided

    at = np.searchsorted(keys, key(sent))
    table["client"][at], table["sent_s"][at], table["due_s"][at] = sent["actor"], sent["t"], sent["value"]

    at = np.searchsorted(keys, key(held))
    table["client"][at], table["due_s"][at], table["outcome"][at] = held["actor"], held["value"], Outcome.THROTTLED

    known = np.isin(key(answered), keys)
    answered = answered[known]
    at = np.searchsorted(keys, key(answered))
    table["status"][at], table["client_outcome"][at] = answered["status"], answered["code"]
    table["backoff_s"][at] = answered["value"]
    table["answered_s"][at] = np.where(answered["status"] > 0, answered["t"], np.nan)
    table["seen_s"][at] = np.where(answered["code"] == ClientOutcome.SUCCEEDED, answered["t"], np.nan)

    at = np.searchsorted(keys, key(decided))
    table["outcome"][at], table["depth_seen"][at] = decided["code"], decided["depth"]
    table["limit"][at] = decided["limit"]
    table["decided_status"][at] = decided["status"]
    table["admitted_s"][at] = np.where(decided["code"] == Outcome.ADMITTED, decided["t"], np.nan)
    return table


def executions(events: Events) -> Table:
    """One row per execution, in the order they began; those that never began come last."""
    rows: list[list[float]] = []
    open_rows: dict[tuple[int, int], list[list[float]]] = {}
    for e in events[events["kind"] == Kind.STARTED]:
        row: list[float] = [
            int(e["request"]),
            int(e["attempt"]),
            int(e["actor"]),
            float(e["value"]),
            float(e["t"]),
            np.nan,
            np.nan,
            Result.PENDING,
        ]
        rows.append(row)
        open_rows.setdefault((int(e["request"]), int(e["attempt"])), []).append(row)
    for e in events[events["kind"] == Kind.ENDED]:
        waiting = open_rows.get((int(e["request"]), int(e["attempt"])), [])
        worker = int(e["actor"])
        # the one this worker began; an end without a worker closes whichever is still open
        found = next((r for r in waiting if worker in (-1, r[2])), None)
        if found is None:
            found = [int(e["request"]), int(e["attempt"]), worker, np.nan, np.nan, np.nan, np.nan, Result.PENDING]
            rows.append(found)
        else:
            waiting.remove(found)
        t = float(e["t"])
        found[5:] = [t, t if t == t else float(e["value"]), int(e["code"])]
    table = np.array([tuple(row) for row in rows], EXECUTION)
    return table[np.argsort(table["started_s"], kind="stable")]  # NaN sorts last


def fates(attempts_: Table, executions_: Table) -> NDArray[np.int64]:
    """What became of each admitted attempt's job (a ``Result``); 0 for the others and for those still open.

    A job with several executions is ``OK`` when any was.
    """
    fate = np.zeros(len(attempts_), np.int64)
    keys = key(attempts_)
    # OK last, so that it wins over an earlier execution that was lost
    ordered = executions_[np.argsort(executions_["result"] == Result.OK, kind="stable")]
    at = np.searchsorted(keys, key(ordered))
    inside = at < len(keys)
    at, ordered = at[inside], ordered[inside]
    known = keys[at] == key(ordered)
    fate[at[known]] = ordered["result"][known]
    return np.where(attempts_["outcome"] == Outcome.ADMITTED, fate, 0)
