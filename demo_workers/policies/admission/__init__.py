"""Admission policies, by the hook where they act and by the names of ``scenario.HOOKS``.

* ``ADMIT``: in the gateway, ``limit(state) -> the most jobs inside``, which can only tighten the scenario's limit.
* ``PLACE``: in the Lua script, ``place(queue, urgent, surplus) -> where the job goes and who leaves``. The script is
  what runs live; these functions say the same in Python for the twin, and a property test holds the two equal.
* ``TAKE``: at the worker, ``take(state, now, waited_s, expires_s, target_s, interval_s) -> (state, dropped)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from demo_workers.policies.admission import (
    adaptive,
    codel,
    drop_expired,
    drop_oldest,
    fifo,
    lifo,
    priority,
    reject,
    take_all,
)
from demo_workers.policies.admission.adaptive import Adaptive
from demo_workers.policies.admission.hooks import REFUSED, Place, Queue, Taker

ADMIT: Mapping[str, Callable[[Adaptive], float]] = {
    "reject": reject.limit,
    "naive": reject.limit,
    "adaptive": adaptive.limit,
    "custom": reject.limit,
}

PLACE: Mapping[str, Callable[[Queue, bool, int], Place]] = {
    "fifo": fifo.place,
    "lifo": lifo.place,
    "drop_oldest": drop_oldest.place,
    "priority": priority.place,
}

TAKE: Mapping[str, Callable[[Taker, float, float, float, float, float], tuple[Taker, bool]]] = {
    "all": take_all.take,
    "drop_expired": drop_expired.take,
    "codel": codel.take,
}

__all__ = ["ADMIT", "PLACE", "REFUSED", "TAKE", "Adaptive", "Place", "Queue", "Taker"]
