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
    job.before, job.after = before, after
    if before == NONE:
        now.head = row
    else:
        s.attempts[before].after = row
    if after == NONE:
        now.tail = row
    else:
        s.attempts[after].before = row
    now.waiting += 1


def leave(s: Sim, row: int) -> None:
    """Take a job out of the line, wherever it stands."""
    now, job = s.now[0], s.attempts[row]
    before, after = job.before, job.after
    if before == NONE:
        now.head = after
    else:
        s.attempts[before].after = after
    if after == NONE:
        now.tail = before
    else:
        s.attempts[after].before = before
    now.urgent -= job.ahead
    if now.last_urgent == row:
        # urgent ones stand together at the head, first in first out: whoever stood before it is the last one now
        now.last_urgent = before
    now.waiting -= 1
