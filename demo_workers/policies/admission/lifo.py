"""Last in, first out: a new job goes to the head of the queue; a full system refuses it.

In overload the newest are served in time while the oldest, whose clients have left, wait on. Below it the order hardly
matters, since nobody waits.

Source: Ben Maurer, "Fail at Scale", ACM Queue 13(8), 2015 (adaptive LIFO).
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import REFUSED, Place, Queue


def place(queue: Queue, urgent: bool, surplus: int) -> Place:
    """Where a new job goes; arguments as for ``fifo.place``."""
    if surplus > 0:
        return Place(REFUSED, 0, 0)
    return Place(0, 0, 0)
