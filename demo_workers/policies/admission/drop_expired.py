"""Drop what has expired: a job whose client has stopped waiting is not done.

Source: Jeffrey Dean and Luiz André Barroso, "The Tail at Scale", CACM 56(2), 2013, and the deadline propagation of
"Addressing Cascading Failures", Site Reliability Engineering, O'Reilly, 2016: do no work that nobody waits for.
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import Taker


def take(
    state: Taker, now: float, waited_s: float, expires_s: float, target_s: float, interval_s: float
) -> tuple[Taker, bool]:
    """A worker has taken a job: whether it drops it. Arguments as for ``take_all.take``."""
    return state, now > expires_s
