"""The frame around the picture: Start, Stop, Reset at the left, the status sentence at the right."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

READY = "Ready."
_LONGEST = 1200
"""Characters of an error: a policy's own traceback and what it was called with fit in."""


class Cockpit:
    """Buttons and status line above everything else.

    Args:
        below: the widgets under the buttons.
        start: what the Start button does; it may be called on any thread, as the others.
        stop: what Stop does.
        reset: what Reset does.
    """

    def __init__(
        self, below: Sequence[Any], *, start: Callable[[], None], stop: Callable[[], None], reset: Callable[[], None]
    ) -> None:
        def button(label: str, icon: str, style: str, do: Callable[[], None]) -> w.Button:
            # of its own width always: a long error beside it must not squeeze it
            layout = w.Layout(width="88px", flex="0 0 auto")
            made = w.Button(description=label, icon=icon, button_style=style, layout=layout)
            made.on_click(lambda _: do())
            return made

        self._start = button("Start", "play", "success", start)
        self._stop = button("Stop", "stop", "", stop)
        self._reset = button("Reset", "undo", "", reset)
        self._stop.disabled = True
        self._line = w.HTML(layout=w.Layout(margin="0 0 0 12px"))
        self.status = ""
        bar = w.HBox([self._start, self._stop, self._reset, self._line], layout=w.Layout(align_items="center"))
        self.widget = w.VBox([bar, *below])
        self.widget.add_class("workbook-panel")
        self._say(READY)

    def started(self) -> None:
        """A load is going on."""
        self._start.disabled, self._stop.disabled = True, False
        self._say("Running.")

    def stopping(self) -> None:
        """Stop was pressed."""
        self._say("Stopping: what was accepted is still being done.")

    def ended(self, sentence: str) -> None:
        """The load is over."""
        self._start.disabled, self._stop.disabled = False, True
        self._say(sentence)

    def complain(self, error: BaseException) -> None:
        """Show an error: in words, with a sign, read out by screen readers."""
        said = f"{type(error).__name__}: {error}"
        self.status = said
        shown = said if len(said) <= _LONGEST else said[:_LONGEST] + " …"
        # a traceback keeps its lines
        style = "color:#A4262C;font-weight:600;white-space:pre-wrap;line-height:1.4"
        self._line.value = f'<span role="alert" style="{style}">⚠ {html.escape(shown)}</span>'

    def close(self) -> None:
        """Take all widgets off the screen."""
        _close(self.widget)

    def _say(self, sentence: str) -> None:
        self.status = sentence
        self._line.value = f'<span role="status">{html.escape(sentence)}</span>'


def _close(widget: Any) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
