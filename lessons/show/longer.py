"""A button for what takes too long for Run All: it plays, and shows its picture below itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import ipywidgets as w

from demo_workers.errors import LabError
from lessons.show.figures import Picture
from lessons.show.view import show_widget

_playing: set[asyncio.Task[None]] = set()


def offer(label: str, play: Callable[[], Awaitable[Picture]]) -> None:
    """Show the button. It returns at once; pressing it plays, one time after the other.

    Args:
        label: what it does and how long that takes.
        play: does it. A ``LabError`` of it is shown instead of a picture.
    """
    button = w.Button(description=label, layout=w.Layout(width="auto"))
    said, below = w.HTML(), w.Output()

    async def played() -> None:
        button.disabled, said.value = True, "Playing …"
        try:
            picture = await play()
            below.outputs = ()
            below.append_display_data(picture)
            said.value = ""
        except LabError as error:
            said.value = str(error)
        finally:
            button.disabled = False

    def pressed(_: object) -> None:
        task = asyncio.ensure_future(played())
        _playing.add(task)  # the loop alone would let it be forgotten
        task.add_done_callback(_playing.discard)

    button.on_click(pressed)
    show_widget(w.VBox([w.HBox([button, said]), below]), f"[{label}]")
