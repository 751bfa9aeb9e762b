"""What is to come, in the order of time; of two things at one moment, what was planned first comes first."""

from __future__ import annotations

from lessons.twin.state import INF, Sim

FINISH = 1
"""A function returns; the argument is the execution, whose worker may have died meanwhile."""
FREE = 2
"""The worker of an execution has put its result away and looks for the next job."""
PATIENCE = 3
"""A client's patience with an attempt is over."""
RETRY = 4
"""A request's next attempt is due."""
THINK = 5
"""Closed loop: a client has thought and sends its next request, which is the argument."""
PUSH = 6
"""``naive``: the job whose length was read a moment ago is pushed."""
HIRED = 7
"""The successor of a dead worker is ready."""
RELEASE = 8
"""An execution's slot is given back, and its worker is not free yet."""


def plan(s: Sim, t: float, kind: int, what: int) -> None:
    """Put something on the calendar, which is a binary heap."""
    c, now = s.calendar, s.now[0]
    at = now.heap
    if at >= len(c):
        now.overflow = 1
        return
    now.heap, now.order = at + 1, now.order + 1
    while at > 0:
        up = (at - 1) >> 1
        if c[up].t <= t:  # the one above was planned before, so it also wins a tie
            break
        _move(s, up, at)
        at = up
    new = c[at]
    new.t, new.order, new.kind, new.what = t, now.order, kind, what


def pop(s: Sim) -> tuple[float, int, int]:
    """Take the next thing off: (time, kind, argument). There must be one."""
    c, now = s.calendar, s.now[0]
    top = c[0]
    found = (top.t, top.kind, top.what)
    now.heap -= 1
    _move(s, now.heap, 0)
    _sink(s, 0)
    return found


def stretch(s: Sim, kind: int, factor: float) -> None:
    """All of one kind comes later or sooner: what is left of its time is multiplied."""
    c, now = s.calendar, s.now[0]
    for at in range(now.heap):
        if c[at].kind == kind and c[at].t > now.t:
            c[at].t = now.t + (c[at].t - now.t) * factor
    for at in range(now.heap // 2 - 1, -1, -1):
        _sink(s, at)


def next_s(s: Sim) -> float:
    """When the next thing comes; infinity when there is nothing."""
    return float(s.calendar[0].t) if s.now[0].heap > 0 else INF


def _sink(s: Sim, at: int) -> None:
    """Let what stands at ``at`` sink until nothing below it comes before it."""
    c, last = s.calendar, s.now[0].heap
    t, order, kind, what = c[at].t, c[at].order, c[at].kind, c[at].what
    while True:
        down = 2 * at + 1
        if down >= last:
            break
        if down + 1 < last and _before(c[down + 1].t, c[down + 1].order, c[down].t, c[down].order):
            down += 1
        if _before(t, order, c[down].t, c[down].order):
            break
        _move(s, down, at)
        at = down
    place = c[at]
    place.t, place.order, place.kind, place.what = t, order, kind, what


def _before(t: float, order: int, other_t: float, other_order: int) -> bool:
    return t < other_t or (t == other_t and order < other_order)


def _move(s: Sim, source: int, target: int) -> None:
    a, b = s.calendar[source], s.calendar[target]
    b.t, b.order, b.kind, b.what = a.t, a.order, a.kind, a.what
