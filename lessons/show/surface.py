"""Where pictures appear: a widget that takes PNGs, asks for them only when somebody can see them, and never queues up.

``acknowledged.py`` has the back pressure. ``ImageSurface`` keeps the contract where anywidget is not to be had.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import ipywidgets
import traitlets
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from lessons.show import own_end, style
from lessons.show.acknowledged import Acknowledged, Facts, script


class Surface(Protocol):
    """Something that shows pictures."""

    alt: Any

    @property
    def widget(self) -> Any:
        """The ipywidget to display."""

    @property
    def facts(self) -> Facts:
        """The state of the other side."""

    def wanted(self) -> bool:
        """Whether another picture would be looked at now."""

    def push(self, png: bytes) -> None:
        """Show a picture; it is kept for views that appear later."""

    def resend(self) -> None:
        """Show it again to a view that has just appeared."""


class Frame(Acknowledged):
    """A picture with acknowledgement and alt text.

    Args:
        on_ready: called when a browser reports. It may run on any thread, so it may only set plain values or use
            ``loop.call_soon_threadsafe``.
        clock: seconds, for tests.
    """

    _esm = script(Path(__file__).with_name("surface.js"))
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(style.SIZE_PX[0]).tag(sync=True)

    def __init__(
        self, on_ready: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._picture = b""
        super().__init__(on_ready, clock)

    @property
    def widget(self) -> Frame:
        """Itself."""
        return self

    def push(self, png: bytes) -> None:
        """Send a picture and keep it."""
        self._picture = png
        self.post({"kind": "frame"}, [png])

    def resend(self) -> None:
        """Show the last picture to a view that has just appeared."""
        if self._picture:
            self.push(self._picture)


class ImageSurface:
    """The same contract on ``ipywidgets.Image``, which has neither alt text nor acknowledgement.

    Args:
        on_ready: never called, since nothing is heard of the browser.
    """

    def __init__(self, on_ready: Callable[[], None] = lambda: None) -> None:
        self.widget = ipywidgets.Image(format="png", width=style.SIZE_PX[0])
        self._sent = 0

    @property
    def alt(self) -> str:
        """Shown as a tooltip: Image knows no alt text."""
        return self.widget.tooltip or ""

    @alt.setter
    def alt(self, text: str) -> None:
        self.widget.tooltip = text

    @property
    def facts(self) -> Facts:
        """Nothing is known of the other side but what was sent."""
        return Facts(connected=True, sent=self._sent, seen=self._sent)

    def wanted(self) -> bool:
        """Always."""
        return True

    def push(self, png: bytes) -> None:
        """Show a picture."""
        self._sent += 1
        self.widget.value = png

    def resend(self) -> None:
        """Nothing to do: the widget's state holds the picture."""


class Output:
    """A panel's place in a notebook: one output, refreshed in place.

    Args:
        widget: the live one.
        words: the plain text. Stored notebooks are compared by it, so it must not depend on the run.
    """

    def __init__(self, widget: Any, words: str) -> None:
        self._widget, self._words = widget, words
        self._id = secrets.token_hex(8)
        self.shown = False

    def show(self, png: bytes) -> None:
        """Display it in the cell that is running."""
        own_end.keep()
        self.shown = True
        self._display(png, update=False)

    def update(self, png: bytes) -> None:
        """Replace the stored picture; only from the code of a cell, since a task's display is not stored."""
        if self.shown:
            self._display(png, update=True)

    def _display(self, png: bytes, *, update: bool) -> None:
        if InteractiveShell.initialized():
            display(bundle(self._widget, png, self._words), raw=True, display_id=self._id, update=update)


def bundle(widget: Any, png: bytes, text: str) -> dict[str, Any]:
    """One output: the live widget with a kernel, the picture without.

    ``text`` is compared when a stored notebook is tested, so it must not depend on the run; the PNG is not compared.
    """
    data: dict[str, Any] = {"image/png": base64.b64encode(png).decode(), "text/plain": text}
    if widget is not None:
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        data["application/vnd.jupyter.widget-view+json"] = view
    return data
