"""First in, first out: a new job goes to the end of the queue; a full system refuses it.

Source: the order of RQ and of most queues; the limit on it is the workbook's own (``demo_workers.queueing``).
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import REFUSED, Place, Queue


def place(queue: Queue, urgent: bool, surplus: int) -> Place:
    """Where a new job goes.

    Args:
        queue: who waits.
        urgent: whether the new job is.
        surplus: by how many jobs, waiting and running, the limit would be passed with it; 0 or less when there is
            room. More than 1 only where the limit has been lowered.
    """
    if surplus > 0:
        return Place(REFUSED, 0, 0)
    return Place(queue.waiting, 0, 0)
