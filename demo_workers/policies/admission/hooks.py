"""What each hook of the admission policies is told, and what it answers."""

from __future__ import annotations

import math
from typing import NamedTuple


class Queue(NamedTuple):
    """Jobs that wait, and how many of them are urgent: where that matters, these are the first ones."""

    waiting: int = 0
    urgent: int = 0


class Place(NamedTuple):
    """Where in the queue a new job goes, and who leaves for it. Workers take from the head, which is place 0.

    Attributes:
        at: how many wait before it, once those who leave have left; ``REFUSED`` where it does not come in.
        from_head, from_tail: how many leave, from either end.
    """

    at: int
    from_head: int = 0
    from_tail: int = 0


REFUSED = -1


class Taker(NamedTuple):
    """What a worker remembers about the delays that it saw. Only ``codel`` does.

    Attributes:
        above_at_s: when the delay will have been above the target for an interval; infinite while it is below.
        dropping: whether the queue stands, so that jobs are dropped.
        next_s: when the next one is.
        drops: how many were dropped since then (RFC 8289 calls it count).
        last_drops: ``drops`` when dropping began (lastcount).
    """

    above_at_s: float = math.inf
    dropping: bool = False
    next_s: float = 0.0
    drops: int = 0
    last_drops: int = 0
