"""Section c's second button: the nine knobs in the twin on twenty tapes, in compiled code."""

from __future__ import annotations

import asyncio
import html

import ipywidgets as w

from lessons.retries.rescue import SEEDS, picture_of, rescue_in_twin, table_of
from lessons.retries.two_fates import TwoFates
from lessons.show.figures import png
from lessons.show.view import show_widget


class TwentyTapes:
    """A button, and what comes of it.

    Args:
        fates: whose servers and costs the twin has.
        seeds: how many tapes.
    """

    def __init__(self, fates: TwoFates, seeds: int = SEEDS) -> None:
        self._fates, self._seeds = fates, seeds
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._button = w.Button(description="Twenty tapes", button_style="primary", layout=w.Layout(width="10em"))
        self._said = w.HTML('<span role="status">Not played yet.</span>')
        self._below = w.VBox()
        # widget callbacks may come on any thread
        self._button.on_click(lambda _: self._loop.call_soon_threadsafe(self._begin))
        self.widget = w.VBox([w.HBox([self._button, self._said]), self._below])

    def show(self) -> None:
        """Display it."""
        show_widget(self.widget, "A button: the nine knobs in the twin, on twenty tapes.")

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._play())

    async def _play(self) -> None:
        self._button.disabled = True
        self._say("Playing. The first time the twin is compiled, which takes half a minute or so.")
        try:
            found = await asyncio.to_thread(rescue_in_twin, self._fates, range(self._seeds))
            picture = picture_of(found)
            image = w.Image(value=png(picture), format="png", width=picture.bbox.width)
            self._below.children = [image, w.HTML(f"<pre>{html.escape(table_of(found))}</pre>")]
            self._say("Played.")
        except Exception as error:
            # a task that nobody awaits must show its own error
            self._say(f"{type(error).__name__}: {error}", alert=True)
        finally:
            self._button.disabled = False

    def _say(self, sentence: str, *, alert: bool = False) -> None:
        self._said.value = f'<span role="{"alert" if alert else "status"}">{html.escape(sentence)}</span>'
