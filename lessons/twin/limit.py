"""The limit in force: the scenario's, or what the adaptive policy has made of it."""

from __future__ import annotations

from demo_workers.policies.admission.adaptive import Adaptive, limit, observe
from lessons.twin.parameters import ADAPTIVE
from lessons.twin.state import Sim


def observe_sojourn(s: Sim, sojourn_s: float) -> None:
    """A job is done, after so many seconds inside: the adaptive limit learns from it."""
    now = s.now[0]
    p = s.params[now.turned]
    if p.admit == ADAPTIVE:
        state = Adaptive(now.adaptive_limit, now.recent_s, now.quiet_s, now.jobs)
        state = observe(state, now.t, sojourn_s, now.inside, p.gradient_tolerance)
        now.adaptive_limit, now.recent_s, now.quiet_s, now.jobs = state


def limit_in_force(s: Sim) -> float:
    """The most jobs inside; infinity for no limit."""
    now = s.now[0]
    p = s.params[now.turned]
    if p.admit != ADAPTIVE:
        return float(p.limit)
    return float(min(p.limit, int(limit(Adaptive(now.adaptive_limit, now.recent_s, now.quiet_s, now.jobs)))))
