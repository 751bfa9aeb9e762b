"""The queue: jobs in a row, linked to their neighbours, so that any can leave from anywhere."""

from __future__ import annotations

from lessons.twin.state import NONE, Sim

TAIL, HEAD, URGENT = 0, 1, 2
"""Where a new job goes: behind all, before all, or behind the last urgent one."""

PUSHING = -2
"""In place of a neighbour: ``naive`` has let this job in and not yet put it in line."""


def put(s: Sim, row: int, where: int) -> None:
    """Let a job stand in line."""
    now, job = s.now[0], s.attempts[row]
    before = NONE
    if where == TAIL:
        before = now.tail
    elif where == URGENT:
        before, now.last_urgent = now.last_urgent, row
        now.urgent += 1
        job.ahead = 1
    after = now.head if before == NONE else s.attempts[before].after
    _join(s, before, row)
    _join(s, row, after)
    now.waiting += 1


def leave(s: Sim, row: int) -> None:
    """Take a job out of the line, wherever it stands."""
    now, job = s.now[0], s.attempts[row]
    before = job.before
    _join(s, before, job.after)
    now.urgent -= job.ahead
    if now.last_urgent == row:
        # urgent ones stand together at the head, first in first out: whoever stood before it is the last one now
        now.last_urgent = before
    now.waiting -= 1


def _join(s: Sim, before: int, after: int) -> None:
    """Let one stand right behind the other; NONE is the end of the line."""
    if before == NONE:
        s.now[0].head = after
    else:
        s.attempts[before].after = after
    if after == NONE:
        s.now[0].tail = before
    else:
        s.attempts[after].before = before
