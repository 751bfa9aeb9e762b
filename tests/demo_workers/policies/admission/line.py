"""A line of jobs as the place hook sees it: who waits, in which order, and who has left."""

from __future__ import annotations

from typing import NamedTuple

from demo_workers.policies.admission import PLACE, REFUSED, Queue


class Job(NamedTuple):
    """``number`` in order of arrival."""

    number: int
    urgent: bool


class Line:
    """Plays the decisions of one policy on a list; workers take from its head."""

    def __init__(self, policy: str, limit: int, workers: int) -> None:
        self.policy, self.limit, self.workers = policy, limit, workers
        self.waiting: list[Job] = []
        self.running: list[Job] = []
        self.dropped: list[Job] = []
        self.taken: list[Job] = []

    def come(self, job: Job) -> bool:
        """Whether the job comes in."""
        surplus = len(self.waiting) + len(self.running) + 1 - self.limit
        queue = Queue(len(self.waiting), sum(waiting.urgent for waiting in self.waiting))
        at, from_head, from_tail = PLACE[self.policy](queue, job.urgent, surplus)
        if at == REFUSED:
            assert (from_head, from_tail) == (0, 0)  # nobody leaves for nothing
            return False
        leaving = self.waiting[:from_head] + self.waiting[len(self.waiting) - from_tail :]
        assert len(leaving) == from_head + from_tail == max(0, surplus)
        self.dropped += leaving
        self.waiting = self.waiting[from_head : len(self.waiting) - from_tail]
        assert 0 <= at <= len(self.waiting)
        self.waiting.insert(at, job)
        return True

    def take(self) -> None:
        """A worker takes the first one, if it is free and somebody waits."""
        if self.waiting and len(self.running) < self.workers:
            self.running.append(self.waiting.pop(0))
            self.taken.append(self.running[-1])

    def finish(self) -> None:
        """The job that has run longest is done."""
        if self.running:
            self.running.pop(0)
