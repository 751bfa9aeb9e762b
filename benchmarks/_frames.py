"""Runs inside the notebook's kernel: frames of the live panel against the obvious way, on the same recorded run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import matplotlib.pyplot as plt
from IPython.display import clear_output, display

from demo_workers.records.run import Run
from lessons.show import longrun, subject
from lessons.show.screen import Screen
from lessons.show.series import Series
from lessons.show.style import DPI, SIZE_PX
from lessons.show.surface import Frame

LIVE, NAIVE = 30, 5
"""Pictures of each way in a round."""
PERIOD_S = 0.1
CURVES = (
    ("Requests per second", ("arriving", "in_time", "refused")),
    ("Requests in the system", ("inside", "limit")),
    ("Seconds until done", ("p50", "p95")),
    ("Requests trying again", ("retrying", "amplification")),
)


class Film:
    """A recorded run, played as a live panel sees it.

    Args:
        run: long enough for a round.
    """

    def __init__(self, run: Run) -> None:
        self._events = run.events[run.events["t"].argsort()]
        self._series, self._fed = Series(limit=run.scenario.admission.limit), 0
        self._surface = Frame()
        self._screen = Screen(self._surface, subject.look(run.scenario, fourth="retries", open_ended=True), fps=1e3)
        self._screen.expect(longrun.expected(run.scenario))
        self._now_s = 0.5 * run.length_s
        self._advance()

    async def show(self) -> None:
        """Put the live picture on the screen and wait for the browser."""
        display(*self._screen.widgets)
        while not self._surface.facts.connected:
            await asyncio.sleep(0.02)

    async def live(self) -> float:
        """CPU seconds of a frame: drawn, encoded, published, acknowledged."""
        return await _cpu_s(self._frame, LIVE)

    async def naive(self) -> float:
        """CPU seconds of a new figure with the same curves."""
        return await _cpu_s(self._new_figure, NAIVE)

    async def _frame(self) -> None:
        before = self._screen.frames
        while self._screen.frames == before:  # not before the browser has shown the last but one
            self._advance()
            self._screen.draw(self._series, self._now_s, [])
            await asyncio.sleep(PERIOD_S)

    async def _new_figure(self) -> None:
        self._advance()
        view = self._series.view(self._now_s, 60.0)
        clear_output(wait=True)
        figure, axes = plt.subplots(2, 2, figsize=[px / DPI for px in SIZE_PX], dpi=DPI)
        for ax, (title, columns) in zip(axes.flat, CURVES, strict=True):
            for column in columns:
                ax.plot(view.t - self._now_s, getattr(view, column), label=column)
            ax.set_title(title)
            ax.legend()
        plt.show()
        plt.close(figure)
        await asyncio.sleep(PERIOD_S)

    def _advance(self) -> None:
        """A tenth of a second on; at the end of the run time goes on without news."""
        self._now_s += PERIOD_S
        end = int(self._events["t"].searchsorted(self._now_s))
        self._series.feed(self._events[self._fed : end])
        self._fed = end


async def measure(run: Run) -> None:
    """Print both costs as JSON; the live picture is seen in the same cell."""
    film = Film(run)
    await film.show()
    await film.live()  # fonts and caches
    live, naive = await film.live(), await film.naive()
    clear_output(wait=True)
    print(json.dumps({"live_s": live, "naive_s": naive}))


async def _cpu_s(show: Callable[[], Awaitable[None]], times: int) -> float:
    """CPU seconds of this whole process for each of some pictures, its other threads included."""
    began = time.process_time()
    for _ in range(times):
        await show()
    return (time.process_time() - began) / times
