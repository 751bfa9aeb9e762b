"""The panel: controls, live picture and sentence of one experiment, for a notebook cell.

A cell calls ``show()``, then either ``await panel.run()`` for a scripted demonstration or leaves the Start button to
the reader. Errors of the background task appear in the status line, are kept, and are raised again by ``finished()``.
Nothing here prints: what a task prints after its cell has ended is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from demo_workers.errors import LabError, LoadGeneratorLagging
from demo_workers.scenario import Scenario
from lessons.show import longrun, subject, text
from lessons.show.cockpit import Cockpit
from lessons.show.controls import Controls
from lessons.show.drive import Drive, System
from lessons.show.flow.companion import Companion
from lessons.show.layout import Fourth, Look
from lessons.show.screen import Screen
from lessons.show.series import Series
from lessons.show.subject import Recorded
from lessons.show.surface import Frame, Output, Surface

TRIES = 3
LET_GO_S = 0.15
"""A slider that has not moved for so long has been let go."""

_panels: dict[str, Panel] = {}


class Panel:
    """One experiment on the screen.

    Args:
        name: panels of the same name replace each other, so a cell that is run again leaves no second load.
        stack: what carries the load.
        scenario: what Start begins with and Reset returns to.
        controls: knobs always in sight.
        advanced: knobs folded away.
        ghost: an earlier run to compare with, or the panel whose newest run of the same load is the one; for runs of
            fixed length.
        question: the title until the finding is known.
        fourth: the fourth plot, "served" (people in time, late, refused) or "retries".
        open_ended: whether Start runs until Stop, or for the scenario's duration.
        noun: what comes and goes, in the plural.
        fps: pictures per second.
        surface: where the picture appears; ``ImageSurface`` where anywidget is not to be had.
    """

    def __init__(
        self,
        name: str,
        stack: System,
        scenario: Scenario,
        *,
        controls: Sequence[str] = ("arrival_rate", "service_time_s", "workers", "limit"),
        advanced: Sequence[str] = (),
        ghost: Recorded | Panel | None = None,
        question: str = "",
        fourth: Fourth = "served",
        open_ended: bool = True,
        noun: str = "requests",
        fps: float = 10.0,
        surface: Callable[[Callable[[], None]], Surface] = Frame,
    ) -> None:
        self.name, self.ghost, self.question = name, ghost, question
        self._stack, self._scenario, self._knobs = stack, scenario, (controls, advanced)
        self._fourth, self._open_ended, self._noun, self._fps = fourth, open_ended, noun, fps
        self._surface = surface
        self._parts: _Parts | None = None
        self._task: asyncio.Task[Recorded] | None = None
        self._drive: Drive | None = None
        self._runs: dict[object, Recorded] = {}  # the newest one of each load
        self._imagining: asyncio.Task[None] | None = None
        self._before: asyncio.Future[Any] | None = None  # a panel of the same name that is still ending

    # What a cell calls

    def show(self) -> None:
        """Display the panel: one output that is a widget with a kernel and a picture without."""
        parts = self._ready()
        parts.output.show(parts.screen.png)

    def start(self) -> None:
        """Begin a load with the knobs as they stand; returns at once. A load that is going on is ended first."""
        parts = self._ready()
        self._launch(self._scenario.steered(**parts.controls.values), self._open_ended)

    async def run(self, scenario: Scenario | None = None, *, seconds: float | None = None) -> Recorded:
        """A scripted demonstration: play a scenario to its end, live, and return the Run.

        Args:
            scenario: default is the panel's, with the knobs as they stand.
            seconds: another length of the load.

        A run in which the clients could not keep their schedule is not used; it is played again, twice at
        most.

        Raises:
            LabError: what went wrong; an interrupt ends the load.
        """
        parts = self._ready()
        if not parts.output.shown:
            self.show()
        if scenario is None:
            scenario = self._scenario.steered(**parts.controls.values)
        if seconds is not None:
            scenario = scenario.replace("load.duration_s", seconds)
        try:
            for _ in range(TRIES - 1):
                try:
                    return await asyncio.shield(self._launch(scenario, open_ended=False))
                except LoadGeneratorLagging:
                    continue  # the machine was busy with something else: what this measured is thrown away
            return await asyncio.shield(self._launch(scenario, open_ended=False))
        except asyncio.CancelledError:
            self._ask_to_stop()
            raise
        finally:
            # from this cell's own code: what a background task displays is not stored
            parts.output.update(parts.screen.png)

    async def finished(self) -> Recorded:
        """Wait until the load is over and return its Run.

        Raises:
            LabError: nothing was started, or what went wrong.
        """
        if self._task is None:
            raise LabError(f"panel {self.name!r}: nothing was started. Call start() or press Start first.")
        parts = self._ready()
        try:
            return await asyncio.shield(self._task)
        finally:
            parts.output.update(parts.screen.png)

    def raise_if_failed(self) -> None:
        """Raise what the last load ended with, if it failed."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            error = self._task.exception()
            if error is not None:
                raise error

    async def stop(self) -> None:
        """End the load and wait for its end; may be called at any time, and twice. Errors are kept for ``finished``."""
        self._ask_to_stop()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """End the load and take the widgets off the screen."""
        await self.stop()
        if self._imagining is not None:
            self._imagining.cancel()
        if self._parts is not None:
            self._parts.cockpit.close()
            self._parts = None
        if _panels.get(self.name) is self:
            del _panels[self.name]

    def newest(self, scenario: Scenario) -> Recorded | None:
        """The newest run here that met the same requests as this scenario has, if there is one."""
        return self._runs.get(_load(scenario))

    @property
    def running(self) -> bool:
        """Whether a load is going on."""
        return self._task is not None and not self._task.done()

    @property
    def status(self) -> str:
        """What the status line says."""
        return self._parts.cockpit.status if self._parts else ""

    def summary(self) -> str:
        """What happened, in words and numbers; the picture's alt text says the same."""
        return self._ready().screen.sentence

    def facts(self) -> dict[str, bool]:
        """What can be asserted of any healthy run, without numbers."""
        return text.facts(self._drive.series) if self._drive else {}

    # How it works

    def _ready(self) -> _Parts:
        """Make the widgets, and take the name over from an older panel."""
        if self._parts is None:
            self._parts = _Parts(self, asyncio.get_running_loop())
            self._parts.screen.about(self._look(self._scenario, self._open_ended))
        older = _panels.get(self.name)
        _panels[self.name] = self
        if older is not None and older is not self:
            self._before = asyncio.ensure_future(older.close())
        return self._parts

    def _launch(self, scenario: Scenario, open_ended: bool) -> asyncio.Task[Recorded]:
        parts, earlier = self._ready(), self._task
        self._ask_to_stop()
        parts.controls.follow(scenario)
        drive = self._drive = Drive(
            self._stack,
            scenario,
            parts.screen,
            open_ended=open_ended,
            companion=parts.companion,
            complain=parts.cockpit.complain,
            followed=parts.controls.put,
        )
        self._task = asyncio.ensure_future(self._watch(parts, drive, self._look(scenario, open_ended), earlier))
        # the error is shown and kept; asyncio need not print it as well
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._task

    async def _watch(self, parts: _Parts, drive: Drive, look: Look, earlier: asyncio.Task[Recorded] | None) -> Recorded:
        parts.cockpit.started()
        try:
            for other in (earlier, self._before):
                if other is not None and not other.done():
                    await asyncio.wait([other])
            parts.screen.about(look)
            run = await drive.run()
            self._runs[_load(run.scenario)] = run
            parts.screen.keep(drive.series, drive.marks)
            parts.cockpit.ended(f"Stopped after {drive.now_s:.1f} s." if drive.stopping else "Finished.")
            return run
        except BaseException as error:
            if drive.series.latest_s > 0:
                parts.screen.keep(drive.series, drive.marks)
            parts.cockpit.ended("")
            parts.cockpit.complain(error)
            raise

    def _look(self, scenario: Scenario, open_ended: bool) -> Look:
        ghost = self.ghost.newest(scenario) if isinstance(self.ghost, Panel) else self.ghost
        names = text.names(ghost.scenario, scenario) if ghost else ("", "")
        earlier = subject.ghost(ghost, names[0]) if ghost and not open_ended else None
        return subject.look(
            scenario,
            question=self.question,
            fourth=self._fourth,
            earlier=earlier,
            open_ended=open_ended,
            noun=self._noun,
            name=names[1],
        )

    def _imagine(self) -> None:
        """Before the first run: show what theory expects of the knobs as they stand, once they are let go."""
        if self._imagining is not None:
            self._imagining.cancel()
        self._imagining = asyncio.ensure_future(self._show_theory(self._ready()))

    async def _show_theory(self, parts: _Parts) -> None:
        await asyncio.sleep(LET_GO_S)
        try:
            scenario = self._scenario.steered(**parts.controls.values)
            long_run = await asyncio.to_thread(longrun.expected, scenario)
            if self._drive is None:
                parts.screen.expect(long_run)
                parts.screen.keep(Series(), title="")
        except Exception as error:
            parts.cockpit.complain(error)

    def _ask_to_stop(self) -> None:
        if self._drive is not None and self.running:
            self._drive.stop()

    async def _reset(self) -> None:
        await self.stop()
        parts = self._ready()
        parts.controls.follow(self._scenario)
        parts.screen.about(self._look(self._scenario, self._open_ended))
        parts.cockpit.ended("Ready.")


def _load(scenario: Scenario) -> object:
    """What two runs must share to be laid over each other."""
    work = scenario.service
    return scenario.load, scenario.seed, work.service_time_s, work.distribution, work.cv


class _Parts:
    """The widgets of a panel that is on the screen, wired so that every callback hops to the loop first."""

    def __init__(self, panel: Panel, loop: asyncio.AbstractEventLoop) -> None:
        def hop(do: Callable[..., object]) -> Callable[..., None]:
            return lambda *args: void(loop.call_soon_threadsafe(do, *args))

        def void(_: object) -> None:
            return None

        def turned(knob: str, value: Any) -> None:
            if panel._drive is not None and panel.running:
                panel._drive.turn(knob, value)
            elif panel._drive is None:
                panel._imagine()

        def appeared() -> None:
            if panel._drive is not None and panel.running:
                panel._drive.wake()
            else:
                frame.resend()

        def pressed_stop() -> None:
            self.cockpit.stopping()
            panel._ask_to_stop()

        row, advanced = panel._knobs
        frame = panel._surface(hop(appeared))
        self.controls = Controls(panel._scenario, row, advanced, changed=hop(turned))
        self.screen = Screen(frame, panel._look(panel._scenario, panel._open_ended), fps=panel._fps)
        self.companion = Companion(panel._scenario, hop)
        self.cockpit = Cockpit(
            [self.controls.widget, *self.screen.widgets, self.companion.widget],
            start=hop(panel.start),
            stop=hop(pressed_stop),
            reset=hop(lambda: asyncio.ensure_future(panel._reset())),
        )
        self.output = Output(self.cockpit.widget, f"Live panel: {panel.question or panel.name}")
