"""Chirp's text box: a post, a switch between inline and queue, and what the author sees."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable

import ipywidgets as w

from lessons.show.view import show_widget

Progress = Callable[[float], None]
Post = Callable[[str, bool, Progress], Awaitable[str]]
"""(text, queued, progress) → the sentence to show when the author has an answer and all is done."""

MAX_CHARACTERS = 280


class PostBox:
    """The widget; ``show()`` displays it.

    Args:
        post: does the posting. It may take seconds; meanwhile the button is off and the bar moves.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._text = w.Text(value="Hello, world", description="Your post", layout=w.Layout(width="26em"))
        self._how = w.ToggleButtons(
            options=[("inline", False), ("queue", True)],
            tooltips=["the web server does the work", "a worker does the work"],
            style={"button_width": "6em"},
        )
        self._button = w.Button(description="Post", button_style="primary", tooltip="send the post")
        self._bar = w.FloatProgress(min=0, max=1, description="followers", layout=w.Layout(width="26em"))
        self._said = w.HTML('<span role="status">Nothing posted yet.</span>')
        # widget callbacks may come on any thread
        self._button.on_click(lambda _: self._loop.call_soon_threadsafe(self._begin))
        rows = [w.HBox([self._text, self._how, self._button]), self._bar, self._said]
        self.widget = w.VBox(rows)

    def show(self) -> None:
        """Display it."""
        show_widget(self.widget, "A box to post in: Your post, inline or queue, Post.")

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._send())

    async def _send(self) -> None:
        text = self._text.value.strip()[:MAX_CHARACTERS]
        if not text:
            self._say("Write something first.", alert=True)
            return
        self._button.disabled = True
        self._bar.value = 0
        self._say("Posting … the author is waiting.")
        queued = bool(self._how.value)

        def progress(share: float) -> None:
            self._bar.value = share
            if queued:  # who hears of progress has had the answer
                self._say("202 Accepted: the author has an answer. A worker is at it.")

        try:
            self._say(await self._post(text, queued, progress))
        except Exception as error:
            # a task that nobody awaits must show its own error
            self._say(f"{type(error).__name__}: {error}", alert=True)
        finally:
            self._button.disabled = False

    def _say(self, sentence: str, *, alert: bool = False) -> None:
        role = "alert" if alert else "status"
        self._said.value = f'<span role="{role}">{html.escape(sentence)}</span>'
