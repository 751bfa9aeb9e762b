"""The flow view by itself, for an experiment with a broker: whatever happens is told, and seen.

::

    view = FlowView("01 killed consumer", Stage(workers=2, senders=1, words=BROKER))
    view.show()
    async with view.watching():
        view.tell(Does.SENT, 0, lane=0)  # from any thread, at the moment it happens

Without a browser, as in tests and stored notebooks, the last state is a picture with the same boxes and counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence

from lessons.show.flow.board import Counts
from lessons.show.flow.flow import PERIOD_S, Flow
from lessons.show.flow.stage import Stage, title
from lessons.show.flow.steps import Does, Step
from lessons.show.surface import Output

SETTLE_S = 1.2
"""What a browser still has to play when all has happened; renewing the stored picture would cut it short."""

_views: dict[str, FlowView] = {}


class FlowView:
    """A flow view in a cell.

    Args:
        name: views of the same name replace each other, so a cell that is run again leaves no old canvas.
        stage: what there is.
    """

    def __init__(self, name: str, stage: Stage) -> None:
        self.name = name
        self._loop = asyncio.get_running_loop()
        self.flow = Flow(stage, lambda: void(self._loop.call_soon_threadsafe(self._appeared)))
        self._output = Output(self.flow.canvas, title(stage))
        self._told: deque[Step] = deque()
        self._origin, self._playing = time.monotonic(), False

    @property
    def counts(self) -> Counts:
        """Exact ones, of everything so far."""
        return self.flow.counts

    def summary(self) -> str:
        """What happened, in words and numbers."""
        return self.flow.summary

    def show(self) -> None:
        """Display it: one output that is a canvas with a kernel and a picture without."""
        older = _views.get(self.name)
        if older is not None and older is not self:
            older.flow.canvas.close()
        _views[self.name] = self
        self._output.show(self.flow.png)

    def now(self) -> float:
        """Seconds since the experiment began."""
        return time.monotonic() - self._origin

    def tell(
        self, kind: Does, id: int = -1, *, nth: int = 1, lane: int = -1, pause_s: float = 0.0, t: float | None = None
    ) -> None:
        """Something happened; may be called on any thread. See ``Step``.

        Args:
            kind: what.
            id: of the message.
            nth: which try or delivery.
            lane: the sender or worker.
            pause_s: how long the sender waits.
            t: when, on the clock of ``now``; default is now.
        """
        self._told.append(Step(self.now() if t is None else t, kind, id, nth, lane, pause_s))

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[FlowView]:
        """Show what is told, ten times a second, until the block is left; then the stored picture is renewed."""
        self.flow.clear()
        self._told.clear()
        self._origin, self._playing = time.monotonic(), True
        pump = asyncio.ensure_future(self._pump())
        try:
            yield self
        finally:
            self._playing = False
            pump.cancel()
            await asyncio.wait([pump])
            self._take()
            self.flow.end(self.now())
            if self.flow.canvas.facts.connected:
                await asyncio.sleep(SETTLE_S)
            # from this cell's own code: what a background task displays is not stored
            self._output.update(self.flow.png)
        if not pump.cancelled():
            pump.result()  # it never ends by itself but with an error

    async def play(self, steps: Sequence[Step], *, speed: float = 1.0) -> None:
        """Play what was recorded, at its own pace or another.

        Args:
            steps: in the order of their times.
            speed: 2 is twice as fast.
        """
        async with self.watching():
            for step in steps:
                due_s = step.t / speed
                await asyncio.sleep(max(due_s - self.now(), 0.0))
                self._told.append(step._replace(t=due_s, pause_s=step.pause_s / speed))

    async def _pump(self) -> None:
        while True:
            self._take()
            if self.flow.due():
                self.flow.send(self.now())
            await asyncio.sleep(PERIOD_S)

    def _take(self) -> None:
        steps = [self._told.popleft() for _ in range(len(self._told))]
        self.flow.feed(sorted(steps, key=lambda step: step.t))

    def _appeared(self) -> None:
        if not self._playing:
            self.flow.end(self.now())


def void(_: object) -> None:
    """Nothing: what a callback of a widget returns."""
