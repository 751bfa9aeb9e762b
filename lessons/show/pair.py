"""Two systems side by side under one Start button: small panels that begin together and end together.

As with a panel, a cell calls ``show()`` and then awaits ``run()``, or leaves the button to the reader. Nothing here
prints, and a load's error is shown, kept, and raised by whoever awaits it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import ipywidgets as w
import numpy as np
from PIL import Image

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.scenario import Scenario
from lessons.show import png, style, subject
from lessons.show.cockpit import Cockpit
from lessons.show.drive import Drive, System
from lessons.show.flow.companion import Companion
from lessons.show.layout import Look
from lessons.show.screen import Screen
from lessons.show.series import Series
from lessons.show.subject import Recorded
from lessons.show.surface import Frame, Output
from lessons.show.vitals import HEALTH, SIZE_PX

TRIES = 3
HALF = {"width": "49%", "min_width": "0"}
"""Side by side in a narrow window too: the pictures shrink."""

FINDING_S = 1.0
"""The finding is about the load's last so many seconds."""
LEAST_SHOWN = 0.5
"""Of answers in time per second; what is below rounds to nothing."""

Rider = Callable[["Pair"], Awaitable[None]]
"""Goes along with the loads: looks at them, turns knobs, says something, stops them."""

_pairs: dict[str, Pair] = {}


class Side(NamedTuple):
    """One of the two.

    Attributes:
        system: what carries the load.
        scenario: what Start plays.
        name: what it is, in few words.
    """

    system: System
    scenario: Scenario
    name: str


class Pair:
    """Two systems on the screen.

    Args:
        name: pairs of the same name replace each other, so a cell that is run again leaves no second load.
        sides: the two; the flow view is about the first.
        noun: what comes and goes, in the plural.
        rider: goes along with what the Start button begins.
        below: widgets between the pictures and the flow view.
        fps: pictures per second.
    """

    def __init__(
        self,
        name: str,
        sides: Sequence[Side],
        *,
        noun: str = "requests",
        rider: Rider | None = None,
        below: Sequence[w.Widget] = (),
        fps: float = 10.0,
    ) -> None:
        self.name, self._sides, self._noun, self._rider = name, sides, noun, rider
        self._loop = asyncio.get_running_loop()
        self._frames = [Frame(self._hop(self._appeared)) for _ in sides]
        for frame in self._frames:
            frame.width = SIZE_PX[0]
        self._screens = [Screen(frame, self._look(side.scenario, side), fps=fps)
                         for frame, side in zip(self._frames, sides, strict=True)]  # fmt: skip
        self._companions = [Companion(side.scenario, self._hop) for side in sides]
        pictures = w.HBox(
            [w.VBox(screen.widgets, layout=HALF) for screen in self._screens],
            layout=w.Layout(max_width=f"{style.SIZE_PX[0]}px", justify_content="space-between"),
        )
        self._cockpit = Cockpit(
            [pictures, *below, self._companions[0].widget],
            start=self._hop(self.start),
            stop=self._hop(self.stop),
            reset=self._hop(lambda: asyncio.ensure_future(self._reset())),
        )
        self._output = Output(self._cockpit.widget, f"Live panels: {' | '.join(side.name for side in sides)}")
        self._drives: list[Drive] = []
        self._task: asyncio.Task[list[Recorded]] | None = None
        self._before: asyncio.Future[None] | None = None  # a pair of the same name that is still ending
        for screen in self._screens:
            screen.keep(Series(), title="")

    # What a cell calls

    def show(self) -> None:
        """Display it: one output that is a widget with a kernel and a picture without."""
        self._take_over()
        self._output.show(self._png())

    def start(self) -> None:
        """Begin what the button begins; returns at once. Loads that are going on are ended first."""
        self._launch([side.scenario for side in self._sides], self._rider)

    async def run(self, *scenarios: Scenario, rider: Rider | None = None) -> list[Recorded]:
        """A scripted demonstration: play a scenario on each side to its end, live, and return the runs.

        Runs in which clients could not keep their schedule are not used; both are played again, twice at most.

        Args:
            scenarios: one for each side.
            rider: goes along with them.

        Raises:
            LabError: what went wrong; an interrupt ends the loads.
        """
        self._take_over()
        if not self._output.shown:
            self.show()
        try:
            for _ in range(TRIES - 1):
                try:
                    return await asyncio.shield(self._launch(scenarios, rider))
                except LoadGeneratorLagging:
                    continue  # the machine was busy with something else: what this measured is thrown away
            return await asyncio.shield(self._launch(scenarios, rider))
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            # from this cell's own code: what a background task displays is not stored
            self._output.update(self._png())

    def stop(self) -> None:
        """Ask both loads to end; may be called at any time, and twice."""
        if self.running:
            self._cockpit.stopping()
            for drive in self._drives:
                drive.stop()

    async def close(self) -> None:
        """End the loads and take the widgets off the screen."""
        self.stop()
        if self._task is not None:
            await asyncio.wait([self._task])
        self._cockpit.close()
        if _pairs.get(self.name) is self:
            del _pairs[self.name]

    # What a rider uses

    @property
    def running(self) -> bool:
        """Whether loads are going on."""
        return self._task is not None and not self._task.done()

    @property
    def status(self) -> str:
        """What the status line says."""
        return self._cockpit.status

    @property
    def now_s(self) -> float:
        """Seconds since the first side's load began."""
        return self._drives[0].now_s if self._drives else 0.0

    def series(self, side: int) -> Series:
        """What happened so far on a side."""
        return self._drives[side].series

    def turn(self, side: int, knob: str, value: Any) -> None:
        """Turn a knob of a side; only on the loop's thread."""
        self._drives[side].turn(knob, value)

    # How it works

    def _take_over(self) -> None:
        """Take the name over from an older pair."""
        older = _pairs.get(self.name)
        _pairs[self.name] = self
        if older is not None and older is not self:
            self._before = asyncio.ensure_future(older.close())

    def _launch(self, scenarios: Sequence[Scenario], rider: Rider | None) -> asyncio.Task[list[Recorded]]:
        earlier = self._task
        self.stop()
        self._drives = [
            Drive(side.system, scenario, screen, open_ended=False, companion=companion, complain=self._cockpit.complain)
            for side, scenario, screen, companion in zip(
                self._sides, scenarios, self._screens, self._companions, strict=True
            )
        ]
        self._task = asyncio.ensure_future(self._watch(scenarios, self._drives, earlier, rider))
        # the error is shown and kept; asyncio need not print it as well
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._task

    async def _watch(
        self,
        scenarios: Sequence[Scenario],
        drives: Sequence[Drive],
        earlier: asyncio.Task[list[Recorded]] | None,
        rider: Rider | None,
    ) -> list[Recorded]:
        self._cockpit.started()
        riding: asyncio.Future[None] | None = None
        try:
            for other in (earlier, self._before):
                if other is not None and not other.done():
                    await asyncio.wait([other])
            for side, scenario, screen in zip(self._sides, scenarios, self._screens, strict=True):
                screen.about(self._look(scenario, side))
            if rider is not None:
                riding = asyncio.ensure_future(rider(self))
            runs = await _together(drives)
            if riding is not None and riding.done():
                riding.result()
            self._keep(scenarios, drives)
            self._cockpit.ended("Stopped." if drives[0].stopping else "Finished.")
            return runs
        except BaseException as error:
            self._keep(scenarios, drives)
            self._cockpit.ended("")
            self._cockpit.complain(error)
            raise
        finally:
            if riding is not None:
                riding.cancel()
                await asyncio.wait([riding])

    def _keep(self, scenarios: Sequence[Scenario], drives: Sequence[Drive]) -> None:
        for side, scenario, drive, screen in zip(self._sides, scenarios, drives, self._screens, strict=True):
            if drive.series.latest_s > 0:
                until_s = min(drive.now_s, scenario.load.duration_s)
                screen.keep(drive.series, drive.marks, title=_finding(side.name, drive.series, until_s))

    def _look(self, scenario: Scenario, side: Side) -> Look:
        look = subject.look(scenario, question=side.name, noun=self._noun, sheet=HEALTH)
        return replace(look, bands=[band._replace(label="spike") for band in look.bands])

    def _appeared(self) -> None:
        """A browser shows it."""
        for frame in self._frames:
            if not self.running:
                frame.resend()
        for drive in self._drives if self.running else ():
            drive.wake()

    async def _reset(self) -> None:
        self.stop()
        if self._task is not None:
            await asyncio.wait([self._task])
        for side, screen in zip(self._sides, self._screens, strict=True):
            screen.about(self._look(side.scenario, side))
        self._cockpit.ended("Ready.")

    def _png(self) -> bytes:
        """Both pictures in one, for where there is no kernel."""
        both = [np.asarray(Image.open(io.BytesIO(screen.png)).convert("RGBA")) for screen in self._screens]
        return png.encode(np.hstack(both), level=9)

    def _hop(self, do: Callable[..., object]) -> Callable[..., None]:
        """The same on the kernel's loop: widgets call on any thread."""

        def call(*args: object) -> None:
            self._loop.call_soon_threadsafe(do, *args)

        return call


async def _together(drives: Sequence[Drive]) -> list[Recorded]:
    """All of them to the end; when one fails the others are ended."""
    tasks = [asyncio.ensure_future(drive.run()) for drive in drives]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for drive in drives:
            if not all(task.done() for task in tasks):
                drive.stop()
        await asyncio.wait(tasks)
    return [task.result() for task in tasks]


def _finding(name: str, series: Series, until_s: float) -> str:
    """Whom a system served in the end."""
    view = series.view()
    end = (view.t > until_s - FINDING_S) & (view.t <= until_s)
    served = float(np.mean(view.in_time[end])) if end.any() else 0.0
    return f"{name}: {f'{served:.0f} per second' if served >= LEAST_SHOWN else 'nobody'} in time"
