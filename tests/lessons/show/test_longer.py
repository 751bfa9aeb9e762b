"""The button for what takes too long for Run All."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import ipywidgets as w

from demo_workers.errors import LabError
from lessons.show import longer
from lessons.show.figures import Picture


def offered(play: Callable[[], Awaitable[Picture]]) -> tuple[w.Button, w.HTML, w.Output]:
    """The button, the line beside it and the place below it."""
    known = set(w.widgets.widget._instances)
    longer.offer("Play it", play)
    new = [widget for key, widget in w.widgets.widget._instances.items() if key not in known]
    (button,) = [one for one in new if isinstance(one, w.Button)]
    (said,) = [one for one in new if isinstance(one, w.HTML)]
    (below,) = [one for one in new if isinstance(one, w.Output)]
    return button, said, below


async def until_free(button: w.Button) -> None:
    """Until it can be pressed again."""
    async with asyncio.timeout(5):
        while button.disabled:
            await asyncio.sleep(0)


async def test_pressing_plays_and_shows_the_picture() -> None:
    """It returns at once, cannot be pressed twice meanwhile, and a second picture takes the first one's place."""
    go = asyncio.Event()

    async def play() -> Picture:
        await go.wait()
        return Picture(figsize=(1, 1))

    button, said, below = offered(play)
    button.click()
    await asyncio.sleep(0)
    assert button.disabled
    assert said.value == "Playing …"
    go.set()
    await until_free(button)
    button.click()
    await asyncio.sleep(0)
    await until_free(button)
    assert said.value == ""
    (shown,) = below.outputs
    assert "image/png" in shown["data"]


async def test_an_error_is_shown_and_the_button_is_there_again() -> None:
    """In words, where the reader looks."""

    async def play() -> Picture:
        raise LabError("the machine is too busy")

    button, said, below = offered(play)
    button.click()
    await asyncio.sleep(0)
    await until_free(button)
    assert said.value == "the machine is too busy"
    assert below.outputs == ()
