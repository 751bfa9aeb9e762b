"""The flow view of one experiment: steps come in, batches go out while somebody looks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lessons.show.flow import still, words
from lessons.show.flow.board import Board, Counts
from lessons.show.flow.canvas import Canvas
from lessons.show.flow.stage import Stage, wire
from lessons.show.flow.steps import Does, Step

DOTS_PER_S = 30.0
"""More tries per second than this are noise to the eye: then one dot stands for several."""
SHARES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
PERIOD_S = 0.1
CALM_S = 1.0
"""The same for readers who asked for reduced motion, and between two sentences."""
RATE_S = 3.0
"""Rates that decide about the number of dots are taken over so many seconds."""
ROOM = 0.7
"""More dots are drawn again when they would be no more than this share of what is too many."""
MOST_PENDING = 600
"""Steps kept for a browser that is behind. What is beyond is not played: the canvas is put right in one go."""


_AT_WORKERS = frozenset({Does.ABANDONED, Does.DELIVERED, Does.DONE, Does.FAILED, Does.LOST, Does.DIED, Does.CAME})


class _Past(NamedTuple):
    t: float
    n: Counts


class Flow:
    """Folds steps and shows them.

    Args:
        stage: what there is.
        on_ready: called when a browser reports; on any thread.
        clock: seconds, for tests.
    """

    def __init__(
        self, stage: Stage, on_ready: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stage = stage
        self.canvas = Canvas(stage, self._look(on_ready), clock)
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Begin anew with nothing anywhere."""
        self._board = Board()
        self._pending: deque[Step] = deque()
        self._past: deque[_Past] = deque([_Past(0.0, Counts())])
        self._fresh, self._missed, self._over, self.per_dot = True, False, False, 1
        self._sent_at = self._said_at = float("-inf")

    @property
    def counts(self) -> Counts:
        """Exact ones, of everything so far."""
        return self._board.counts()

    @property
    def png(self) -> bytes:
        """The same boxes with their counts as a still picture."""
        return still.png(self.stage, self.counts)

    @property
    def summary(self) -> str:
        """All that happened, in words."""
        return words.whole(self.counts, self.stage)

    def restage(self, stage: Stage) -> None:
        """Another number of workers, another limit."""
        if stage != self.stage:
            self.stage = stage
            self.canvas.plan = wire(stage)

    def feed(self, steps: Iterable[Step]) -> None:
        """Take over what happened."""
        steps = list(steps)
        self._board.feed(steps)
        self._pending.extend(filter(self._drawn, steps))
        if len(self._pending) > MOST_PENDING:
            self._pending.clear()
            self._fresh = self._missed = True

    def due(self) -> bool:
        """Whether it is time to send, and somebody looks."""
        period = CALM_S if self.canvas.facts.reduced else 0.5 * PERIOD_S
        return self._clock() - self._sent_at >= period and self.canvas.wanted()

    def send(self, now_s: float) -> None:
        """Send what is new.

        Args:
            now_s: the experiment's clock.
        """
        self._sent_at = self._clock()
        self._board.forget(now_s)
        counts = self._board.counts()
        self._past.append(_Past(now_s, counts))
        self._thin_out(self._rates(RATE_S).sent)
        if self._missed:
            self._pending = deque(filter(self._drawn, self._board.now()))
        steps = () if self.canvas.facts.reduced else self._pending
        labels = words.labels(counts, self.stage)
        state = {"per": self.per_dot, "fresh": self._fresh, "over": self._over}
        self.canvas.play(now_s, steps, counts, labels, state)
        self._pending.clear()
        self._fresh = self._missed = False
        if self._sent_at - self._said_at >= CALM_S:
            self._said_at = self._sent_at
            self.canvas.line = words.sentence(counts, self._rates(CALM_S), self.stage, self.per_dot)

    def end(self, now_s: float) -> None:
        """The experiment is over: show how it ended, to whoever looks now or later."""
        self._board.close()
        self._over = True
        if self.canvas.facts.connected and not self.canvas.facts.hidden:
            self.send(now_s)
        self.canvas.line = self.summary

    def _drawn(self, step: Step) -> bool:
        """Workers are shown at all they do, whether or not the job is one of those that are drawn."""
        return step.id % self.per_dot == 0 or step.kind in _AT_WORKERS

    def _look(self, tell: Callable[[], None]) -> Callable[[], None]:
        def ready() -> None:
            self._fresh = self._missed = True  # a view that has just appeared knows nothing
            tell()

        return ready

    def _thin_out(self, rate: float) -> None:
        """Choose how many requests a dot stands for; back to more dots only when there is room to spare."""
        enough, ample = (_share(rate), _share(rate / ROOM))
        self.per_dot = max(enough, min(self.per_dot, ample))

    def _rates(self, seconds: float) -> words.Rates:
        """Per second, over about so many last ones."""
        now_s, n = self._past[-1]
        while len(self._past) > 2 and self._past[1].t <= now_s - RATE_S:
            self._past.popleft()
        since, before = next(past for past in self._past if past.t >= now_s - seconds or past is self._past[-1])
        took_s = max(now_s - since, CALM_S)
        return words.Rates(*((getattr(n, name) - getattr(before, name)) / took_s for name in words.Rates._fields))


def _share(rate: float) -> int:
    return next((n for n in SHARES if rate <= DOTS_PER_S * n), SHARES[-1])
