"""One load while it runs: rows are read, pictures drawn, knobs passed on, until it is over or told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from demo_workers.errors import LabError
from demo_workers.records.events import Events
from demo_workers.scenario import Scenario
from lessons.show import longrun, subject
from lessons.show.flow.companion import Companion
from lessons.show.scene import Mark
from lessons.show.screen import Screen
from lessons.show.series import Series
from lessons.show.subject import Recorded, Turned

STOPPING_S = 0.05
"""Pause between two looks at a load that is being stopped."""


class Live(Protocol):
    """A load going on."""

    @property
    def steering(self) -> Sequence[Turned]:
        """What was turned so far."""

    def now(self) -> float:
        """Seconds since the run's origin."""

    def poll(self) -> Events:
        """Rows that are new since the last call."""

    async def steer(self, **knobs: Any) -> None:
        """Turn knobs. Raises ScenarioError."""

    async def finished(self) -> Recorded:
        """Wait for the end; raises what went wrong."""

    async def stop(self) -> Recorded:
        """End the load now; may be called twice."""


class System(Protocol):
    """What can carry a load: a Stack, or something that plays events."""

    async def begin(self, scenario: Scenario, *, open_ended: bool = False) -> Live:
        """Start a load."""


class Drive:
    """Watches and steers one run.

    Args:
        system: what carries the load.
        scenario: the load.
        open_ended: until stopped, or for the scenario's duration.
        screen: where it is shown.
        companion: the flow view below the plots.
        complain: told of a knob that could not be turned.
        followed: told of each knob, and its value, that was turned in whatever way: also from a cell.
    """

    def __init__(
        self,
        system: System,
        scenario: Scenario,
        screen: Screen,
        *,
        open_ended: bool,
        companion: Companion,
        complain: Callable[[BaseException], None],
        followed: Callable[[str, Any], None] = lambda knob, value: None,
    ) -> None:
        self._system, self._scenario, self._open_ended = system, scenario, open_ended
        self._screen, self._companion, self._followed, self._complain = screen, companion, followed, complain
        self.series = Series(limit=scenario.admission.limit)
        self.now_s = 0.0
        self._live: Live | None = None
        self._wake, self._knobs = asyncio.Event(), asyncio.Event()
        self._turned: dict[str, Any] = {}
        self._passing_on, self._told = False, 0
        self._stopping, self._at_once = False, False
        self._foreseen, self._settings = -1, asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    @property
    def marks(self) -> list[Mark]:
        """Knobs turned so far."""
        return subject.marks(self._live.steering) if self._live else []

    def stop(self) -> None:
        """End the load as soon as possible; only on the loop's thread."""
        self._stopping = True
        self._wake.set()

    def turn(self, knob: str, value: Any) -> None:
        """Pass a knob's new value on; only on the loop's thread."""
        self._turned[knob] = value
        self._knobs.set()

    def wake(self) -> None:
        """Draw soon; only on the loop's thread."""
        self._at_once = True
        self._wake.set()

    async def run(self) -> Recorded:
        """From the beginning to the end of the drain.

        Raises:
            LabError: what went wrong in the system.
        """
        live = self._live = await self._system.begin(self._scenario, open_ended=self._open_ended)
        self._companion.begin(self._scenario)
        over = asyncio.ensure_future(live.finished())
        over.add_done_callback(lambda _: self._wake.set())
        steering, foresight = asyncio.ensure_future(self._steer(live)), asyncio.ensure_future(self._foresee(live))
        ending: asyncio.Future[Recorded] | None = None
        try:
            while not over.done():
                if self._stopping and ending is None:
                    ending = asyncio.ensure_future(live.stop())
                    ending.add_done_callback(lambda _: self._wake.set())
                if ending is not None and ending.done() and ending.exception() is not None:
                    return ending.result()  # raises: then the load's own end will not come
                self._look(live)
                await self._pause()
            return over.result()
        finally:
            steering.cancel()
            foresight.cancel()
            if not over.done():  # the picture failed, not the load: do not leave it running
                with contextlib.suppress(Exception):
                    await live.stop()
                over.cancel()
            await asyncio.gather(over, steering, foresight, *([ending] if ending else []), return_exceptions=True)
            rows = live.poll()
            self.series.feed(rows)
            self.series.over = True
            self._companion.end(rows, live.now(), live.steering)

    def _look(self, live: Live) -> None:
        rows = live.poll()
        self.series.feed(rows)
        self.now_s = max(live.now(), 0.0)
        self._companion.look(rows, self.now_s, live.steering)
        if len(live.steering) != self._foreseen:
            self._settings.set()
        self._follow(live.steering)
        if not self._stopping:  # after Stop the picture stands still until the last one
            self._screen.draw(self.series, self.now_s, self.marks)

    def _follow(self, steering: Sequence[Turned]) -> None:
        """Tell what was turned; not while a slider's value is on its way, which the log would take back."""
        if self._turned or self._passing_on:
            return
        for knob, value in {entry.knob: entry.value for entry in steering[self._told :]}.items():
            self._followed(knob, value)
        self._told = len(steering)

    async def _pause(self) -> None:
        # while it stops no picture is drawn whose turn could be waited for
        pause_s = STOPPING_S if self._stopping else max(self._screen.pause_s(), 0.001)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause_s)
        if self._at_once and not self._stopping:
            await asyncio.sleep(self._screen.pause_s(at_once=True))
        self._at_once = False
        self._wake.clear()

    async def _foresee(self, live: Live) -> None:
        """Ask theory again whenever a setting has changed, on another thread: it may take longer than a picture."""
        while True:
            await self._settings.wait()
            self._settings.clear()
            self._foreseen = len(live.steering)
            scenario = longrun.after(self._scenario, live.steering)
            try:
                self._screen.expect(await asyncio.to_thread(longrun.expected, scenario))
            except Exception as error:
                self._complain(error)  # the load goes on without theory

    async def _steer(self, live: Live) -> None:
        while True:
            await self._knobs.wait()
            self._knobs.clear()
            turned, self._turned, self._passing_on = self._turned, {}, True
            try:
                await live.steer(**turned)
            except LabError as error:
                self._complain(error)
            finally:
                self._passing_on = False
            self.wake()
