"""Urgent jobs first: they stand before all others, first in, first out among themselves.

Where the system is full, an urgent newcomer displaces the newest waiting job that is not urgent. It is refused where
there is none, and so is every other newcomer. A running job is never interrupted.

Source: the non-preemptive priority queue, Cobham, "Priority assignment in waiting line problems", Operations Research
2(1), 1954; who leaves first, as in Google's "Handling Overload" (criticality), Site Reliability Engineering, 2016.
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import REFUSED, Place, Queue


def place(queue: Queue, urgent: bool, surplus: int) -> Place:
    """Where a new job goes; arguments as for ``fifo.place``."""
    leaving = max(0, surplus)
    if not urgent:
        return Place(queue.waiting if leaving == 0 else REFUSED, 0, 0)
    if queue.waiting - queue.urgent < leaving:
        return Place(REFUSED, 0, 0)
    return Place(queue.urgent, 0, leaving)
