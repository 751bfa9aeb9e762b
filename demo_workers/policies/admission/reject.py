"""The limit as it stands: ``reject``, ``naive`` and ``custom`` do not tighten it, so there is nothing to decide here.

``reject`` lets one Lua script look at the depth and write the job in one step (``demo_workers.queueing``). ``naive``
looks first and writes afterwards, and the race between the two is its lesson. ``custom`` asks a function written in a
cell (``demo_workers.policies.custom``), which says yes or no beside the limit.
"""

from __future__ import annotations

import math

from demo_workers.policies.admission.adaptive import Adaptive


def limit(state: Adaptive) -> float:
    """No bound of its own: the caller takes the smaller of this and the scenario's limit."""
    return math.inf
