"""Drop the oldest: a new job goes to the end of the queue; where the system is full, those who waited longest leave.

They are told so. A newcomer is refused only where too few wait to make room: those who run cannot leave.

Source: drop from front, Lakshman, Neidhardt and Ott, "The drop from front strategy in TCP and in TCP over ATM",
IEEE INFOCOM 1996: who has waited longest learns it first, and the queue holds what is still wanted.
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import REFUSED, Place, Queue


def place(queue: Queue, urgent: bool, surplus: int) -> Place:
    """Where a new job goes; arguments as for ``fifo.place``."""
    leaving = max(0, surplus)
    if queue.waiting < leaving:
        return Place(REFUSED, 0, 0)
    return Place(queue.waiting - leaving, leaving, 0)
