"""Steps folded into what is where, and exact counts of everything.

Two processes write the load lab's record and its rows are read in batches, so a step may come after one that it made
possible: a worker's beginning before the admission, say. Nothing is then put back where it no longer is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from lessons.show.flow.steps import Does, Step

RECENT = 4096
"""Things remembered about what has left: belated steps, and messages that were done once."""
FLIGHT_S = 10.0
"""After this long a try of which nothing was heard is no longer drawn."""

Key = tuple[int, int]


class Place(IntEnum):
    """Where something is."""

    ON_ITS_WAY, QUEUE, WORKER = range(3)


@dataclass
class Copy:
    """One try, or one delivery, that has not ended. ``ghost``: nobody waits for it any more."""

    place: Place
    since: Step
    ghost: bool = False


@dataclass
class Counts:
    """How often each thing happened, and how many there are now.

    ``sent`` counts every try, ``retries`` those after the first, ``twice`` ends of what was done before. The last
    four are numbers of now: in the queue, at workers, those among both that nobody waits for, senders in a pause.
    """

    sent: int = 0
    retries: int = 0
    held: int = 0
    refused: int = 0
    known: int = 0
    answered: int = 0
    gave_up: int = 0
    delivered: int = 0
    done: int = 0
    twice: int = 0
    returned: int = 0
    failed: int = 0
    removed: int = 0
    lost: int = 0
    in_queue: int = 0
    at_work: int = 0
    ghosts: int = 0
    waiting: int = 0


class Recent:
    """A set that forgets its oldest members."""

    def __init__(self) -> None:
        self._members: dict[Hashable, None] = {}

    def add(self, member: Hashable) -> None:
        """Remember it."""
        self._members[member] = None
        if len(self._members) > RECENT:
            del self._members[next(iter(self._members))]

    def take(self, member: Hashable) -> bool:
        """Whether it was there; it no longer is."""
        there = member in self._members
        self._members.pop(member, None)
        return there

    def __contains__(self, member: object) -> bool:
        return member in self._members


class Board:
    """What is where."""

    def __init__(self) -> None:
        self.copies: dict[Key, Copy] = {}
        self.waiting: dict[int, Step] = {}
        self.dead: dict[int, Step] = {}
        self._n = Counts()
        self._belated, self._done = Recent(), Recent()
        self._do: dict[Does, Callable[[Step], None]] = {
            Does.SENT: self._sent,
            Does.HELD: self._held,
            Does.REFUSED: self._refused,
            Does.KNOWN: self._known,
            Does.ANSWERED: self._answered,
            Does.WAITING: self._waits,
            Does.ABANDONED: self._abandoned,
            Does.GAVE_UP: self._gave_up,
            Does.DELIVERED: self._delivered,
            Does.DONE: self._ended,
            Does.RETURNED: self._returned,
            Does.FAILED: self._ended,
            Does.REMOVED: self._ended,
            Does.LOST: self._ended,
            Does.DIED: self._died,
            Does.CAME: self._came,
        }

    def feed(self, steps: Iterable[Step]) -> None:
        """Take over steps."""
        do = self._do
        for step in steps:
            do[step.kind](step)

    def counts(self) -> Counts:
        """A copy of the counts."""
        places = [copy.place for copy in self.copies.values()]
        ghosts = sum(copy.ghost and copy.place is not Place.ON_ITS_WAY for copy in self.copies.values())
        queued, busy = places.count(Place.QUEUE), places.count(Place.WORKER)
        return replace(self._n, in_queue=queued, at_work=busy, ghosts=ghosts, waiting=len(self.waiting))

    def now(self) -> list[Step]:
        """Steps that put everything where it is; for a canvas that has missed some."""
        steps = [copy.since for copy in self.copies.values()]
        steps += [copy.since._replace(kind=Does.ABANDONED) for copy in self.copies.values() if copy.ghost]
        return sorted([*steps, *self.waiting.values(), *self.dead.values()], key=lambda step: step.t)

    def forget(self, now_s: float) -> None:
        """Take away tries of which nothing was heard for long: their connection broke, or the record ends."""
        for key, copy in list(self.copies.items()):
            if copy.place is Place.ON_ITS_WAY and copy.since.t < now_s - FLIGHT_S:
                del self.copies[key]

    def close(self) -> None:
        """The experiment is over: nobody tries again, and nothing is on its way."""
        self.waiting.clear()
        self.forget(float("inf"))

    # Senders

    def _sent(self, step: Step) -> None:
        self._n.sent += 1
        self._n.retries += step.nth > 1
        if step.nth > 1:
            self.waiting.pop(step.id, None)
        if not self._belated.take((Does.SENT, step.id, step.nth)):
            self.copies[step.id, step.nth] = Copy(Place.ON_ITS_WAY, step)

    def _answered(self, step: Step) -> None:
        self._n.answered += 1

    def _waits(self, step: Step) -> None:
        self.waiting[step.id] = step
        self._settle(step)

    def _abandoned(self, step: Step) -> None:
        if copy := self.copies.get((step.id, step.nth)):
            copy.ghost = True

    def _gave_up(self, step: Step) -> None:
        self._n.gave_up += 1
        self.waiting.pop(step.id, None)
        self._settle(step)

    def _settle(self, step: Step) -> None:
        """Its sender is done with this try: where nobody else has it, and an answer may not still come, it is gone."""
        copy = self.copies.get((step.id, step.nth))
        if copy is not None and copy.place is Place.ON_ITS_WAY and not copy.ghost:
            del self.copies[step.id, step.nth]

    # The door and the queue

    def _held(self, step: Step) -> None:
        self._n.held += 1
        if not self._belated.take((Does.HELD, step.id, step.nth)):
            self._move(step, Place.QUEUE)

    def _refused(self, step: Step) -> None:
        self._n.refused += 1
        self._gone(step)

    def _known(self, step: Step) -> None:
        self._n.known += 1
        self._gone(step)

    def _returned(self, step: Step) -> None:
        self._n.returned += 1
        if step.lane >= 0:
            self.copies.pop((step.id, step.nth - 1), None)
        self._belated.add((Does.SENT, step.id, step.nth))
        self.copies[step.id, step.nth] = Copy(Place.QUEUE, step)

    # Workers

    def _delivered(self, step: Step) -> None:
        self._n.delivered += 1
        if self._belated.take((Does.DELIVERED, step.id, step.nth)):
            return
        copy = self.copies.get((step.id, step.nth))
        if copy is None or copy.place is Place.ON_ITS_WAY:
            self._belated.add((Does.HELD, step.id, step.nth))
        self._move(step, Place.WORKER)

    def _ended(self, step: Step) -> None:
        copy = self.copies.get((step.id, step.nth))
        if step.kind is Does.DONE:
            self._n.twice += step.id in self._done
            self._done.add(step.id)
        name = step.kind.name.lower()
        setattr(self._n, name, getattr(self._n, name) + 1)
        if step.lane >= 0 and (copy is None or copy.place is not Place.WORKER):
            self._belated.add((Does.DELIVERED, step.id, step.nth))
        if copy is None or copy.place is Place.ON_ITS_WAY:
            self._belated.add((Does.HELD, step.id, step.nth))
            self._gone(step)
        elif copy.place is Place.QUEUE or step.lane in (-1, copy.since.lane):
            del self.copies[step.id, step.nth]

    def _died(self, step: Step) -> None:
        self.dead[step.lane] = step

    def _came(self, step: Step) -> None:
        self.dead.pop(step.lane, None)

    def _move(self, step: Step, place: Place) -> None:
        copy = self.copies.get((step.id, step.nth))
        if copy is None:
            self._belated.add((Does.SENT, step.id, step.nth))
        self.copies[step.id, step.nth] = Copy(place, step, ghost=copy is not None and copy.ghost)

    def _gone(self, step: Step) -> None:
        if self.copies.pop((step.id, step.nth), None) is None:
            self._belated.add((Does.SENT, step.id, step.nth))
