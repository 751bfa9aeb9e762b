"""Controlled delay: where even the luckiest job of an interval waited too long, jobs are dropped, ever more often.

A delay above the target is no harm while it is a burst that passes. Above it for a whole interval, the queue stands:
then one job is dropped at once and the next ones interval/√drops later, until the delay is below the target again.

Source: Nichols, Jacobson, McGregor and Iyengar, RFC 8289, "Controlled Delay Active Queue Management", 2018, section 5.
A worker sees only the jobs that it takes, so each worker keeps a state of its own. What is left out: the RFC's queue of
at most one packet, which here is a job that waited no longer than the target.
"""

from __future__ import annotations

import math

from demo_workers.policies.admission.hooks import Taker

_RECENT = 16  # intervals within which a queue that stands again is the same trouble; RFC 8289, section 5.5


def take(
    state: Taker, now: float, waited_s: float, expires_s: float, target_s: float, interval_s: float
) -> tuple[Taker, bool]:
    """A worker has taken a job: whether it drops it. Arguments as for ``take_all.take``."""
    if waited_s < target_s:
        return Taker(math.inf, False, state.next_s, state.drops, state.last_drops), False
    if state.above_at_s == math.inf:
        return Taker(now + interval_s, False, state.next_s, state.drops, state.last_drops), False
    if now < state.above_at_s:
        return state, False
    if not state.dropping:
        drops = _first(state, now, interval_s)
        return Taker(state.above_at_s, True, now + interval_s / math.sqrt(drops), drops, drops), True
    if now < state.next_s:
        return state, False
    drops = state.drops + 1
    return Taker(state.above_at_s, True, state.next_s + interval_s / math.sqrt(drops), drops, state.last_drops), True


def _first(state: Taker, now: float, interval_s: float) -> int:
    """Where counting begins: at 1, but near where it ended if that was not long ago."""
    delta = state.drops - state.last_drops
    return delta if delta > 1 and now - state.next_s < _RECENT * interval_s else 1
