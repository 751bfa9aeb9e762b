"""A long piece of work with a progress bar, the time that is left, and a button that ends it."""

from __future__ import annotations

import asyncio
import base64
import html
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import ipywidgets as w

from demo_workers.errors import LabError
from lessons.show.figures import Picture, png
from lessons.show.view import show_widget

Progress = Callable[[int, int], object]
"""How many are done, and of how many."""
T = TypeVar("T")
Work = Callable[[Progress], Awaitable[T]]

TELL_S = 0.1
"""Words change at most so often: nobody reads, or listens, faster."""


class Cancelled(LabError):
    """The reader has ended a piece of work."""


class ProgressBox:
    """The widget; ``show()`` displays it.

    Args:
        noun: what is counted, in the plural.
        full: what the button does: long work, and the picture of what came of it.
        label: the button's.
        clock: seconds, for tests.
    """

    def __init__(
        self, noun: str, full: Work[Picture], *, label: str = "Start", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._noun, self._full, self._clock = noun, full, clock
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._whole: asyncio.Task[None] | None = None
        self._began_s = self._told_s = 0.0
        self.start = w.Button(description=label, button_style="primary", layout=w.Layout(flex="none", width="auto"))
        self.start.tooltip = f"{label}: it returns at once, and the bar shows how far it is"
        self.cancel = w.Button(description="Cancel", disabled=True, tooltip="end it: what waits is taken back")
        self.bar = w.IntProgress(min=0, max=1, description=noun, layout=w.Layout(width="26em"))
        self.said = w.HTML('<span role="status">Nothing started yet.</span>')
        self.picture = w.HTML()
        # widget callbacks may come on any thread
        self.start.on_click(lambda _: self._loop.call_soon_threadsafe(self._begin))
        self.cancel.on_click(lambda _: self._loop.call_soon_threadsafe(self._end))
        self.widget = w.VBox([w.HBox([self.start, self.cancel, self.bar]), self.said, self.picture])

    def show(self) -> None:
        """Display it."""
        words = f"A progress bar of {self._noun} with the time that is left: {self.start.description}, Cancel."
        show_widget(self.widget, words)

    async def run(self, work: Work[T]) -> T:
        """Do a piece of work and show how far it is.

        Args:
            work: is given what it must tell its progress.

        Raises:
            LabError: something is under way here already.
            Cancelled: the button was pressed.
        """
        if self._task is not None and not self._task.done():
            raise LabError(f"{self._noun} = under way: must be over before more begin. Wait for them, or press Cancel.")

        async def doing() -> T:
            return await work(self._progress)

        task = self._loop.create_task(doing())
        self._task = task
        self._began_s, self._told_s, self.bar.value = self._clock(), 0.0, 0
        self._busy(True)
        self._say("begun")
        try:
            found = await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise  # not this work, but whoever waits for it was cancelled
            self._say(f"cancelled at {self._far()}")
            raise Cancelled(
                f"{self._noun} = {self._far()}: must be all, but Cancel was pressed. Run it again."
            ) from None
        except BaseException as error:
            self._say(f"{type(error).__name__}: {error}", alert=True)
            raise
        finally:
            self._busy(False)
        self._say(f"{self._far()} in {self._clock() - self._began_s:.1f} s")
        return found

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._whole = self._loop.create_task(self._do_all())

    async def _do_all(self) -> None:
        try:
            picture = await self.run(self._full)
        except Exception:  # noqa: S110  # the status line has said it, and nobody awaits this task
            pass
        else:
            data = base64.b64encode(png(picture)).decode()
            source, words = f"data:image/png;base64,{data}", html.escape(picture.alt)
            self.picture.value = f'<img src="{source}" alt="{words}" style="max-width: 100%">'

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _progress(self, done: int, of: int) -> None:
        self.bar.max, self.bar.value = of, done
        now_s = self._clock()
        if done and now_s - self._told_s > TELL_S:
            self._told_s = now_s
            left_s = (now_s - self._began_s) / done * (of - done)
            self._say(f"{self._far()}, about {left_s:.0f} s left")

    def _far(self) -> str:
        return f"{self.bar.value:,} of {self.bar.max:,}"

    def _busy(self, busy: bool) -> None:
        self.start.disabled, self.cancel.disabled = busy, not busy

    def _say(self, sentence: str, *, alert: bool = False) -> None:
        role = "alert" if alert else "status"
        self.said.value = f'<span role="{role}">{html.escape(sentence)}</span>'
