"""The vocabulary of the flow view: what can happen to a request or a message, one word each.

Whoever can say these words can be seen on the canvas: the load lab's record (``record.py``) and any experiment with
a broker. A message's life in them, with the broker's own words beside:

==========  =============================  ==============================================================
word        the load lab                   a broker
==========  =============================  ==============================================================
SENT        an attempt leaves its client   publish
HELD        admitted                       the broker keeps it
REFUSED     503 or 429                     refused: full, or not routable
KNOWN       the key of an earlier request  taken for a message it has already
ANSWERED    the client has its answer      confirm
WAITING     backoff before the next try    the publisher pauses before it publishes again
ABANDONED   patience is over               the publisher no longer waits for the confirm
GAVE_UP     no further try                 no further try
DELIVERED   a worker begins                receive
DONE        the job returned               ack
RETURNED    (not used)                     nack, time-out or reaper: it is in the queue again
FAILED      the job raised                 the consumer failed and the message is gone
REMOVED     dropped, cancelled             dead letter, expired, purged
LOST        nobody has it any more         nobody has it any more
DIED, CAME  a worker is gone, is there     a consumer is gone, is there
==========  =============================  ==============================================================

A message of publish/subscribe reaches each subscriber as a copy with an ``id`` of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Does(IntEnum):
    """What happened. The comment tells which columns it uses beside ``t``, ``id`` and ``nth``."""

    SENT = 1  # lane: the sender
    HELD = 2
    REFUSED = 3
    KNOWN = 4
    ANSWERED = 5
    WAITING = 6  # pause_s
    ABANDONED = 7
    GAVE_UP = 8
    DELIVERED = 9  # lane: the worker
    DONE = 10  # lane: the worker
    RETURNED = 11  # nth: of the new delivery; lane: who gave it back or died with it; -1: whoever has it keeps it too
    FAILED = 12  # lane: the worker
    REMOVED = 13
    LOST = 14  # lane: the worker that had it; -1: it was not with one
    DIED = 15  # lane: the worker; id is of no meaning
    CAME = 16  # the same


class Step(NamedTuple):
    """One thing that happened.

    Attributes:
        t: seconds on the experiment's clock.
        kind: what.
        id: number of the request or message, from 0.
        nth: which try of its sender, or which delivery; from the second on it is drawn as a retry.
        lane: number of the sender or worker, from 0; -1 is nobody in particular.
        pause_s: how long the sender waits.
    """

    t: float
    kind: Does
    id: int = -1
    nth: int = 1
    lane: int = -1
    pause_s: float = 0.0
