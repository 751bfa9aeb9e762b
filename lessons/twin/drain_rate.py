"""How long a refused client is asked to wait; the gateway's own rule (``services/gateway/drain_rate.py``)."""

from __future__ import annotations

from lessons.twin.state import NAN, Sim

WINDOW_S = 5.0
SHORTEST_S = 1.0
LONGEST_S = 3600.0
MOST = 20_000


def finished(s: Sim) -> None:
    """A job's function has returned."""
    now = s.now[0]
    s.done_s[now.done] = now.t
    now.done += 1
    if now.done - now.done_from > MOST:
        now.done_from += 1
    if now.since_s != now.since_s:
        now.since_s = now.t


def per_second(s: Sim) -> float:
    """Finished jobs per second lately; −1 while nothing has finished."""
    now = s.now[0]
    while now.done_from < now.done and s.done_s[now.done_from] < now.t - WINDOW_S:
        now.done_from += 1
    count = now.done - now.done_from
    if count == 0:
        now.since_s = NAN
        return -1.0
    start = s.done_s[now.done_from] if count == MOST else max(now.since_s, now.t - WINDOW_S)
    return float(count / max(now.t - start, SHORTEST_S))


def retry_after_s(s: Sim, depth: int, limit: float) -> float:
    """Seconds until a place is free if jobs go on finishing as they did; 1 when nothing is known."""
    rate = per_second(s)
    return 1.0 if rate < 0 else min(max(depth - limit + 1.0, 1.0) / rate, LONGEST_S)
