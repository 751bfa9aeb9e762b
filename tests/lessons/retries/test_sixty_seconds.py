"""The minute: buttons that come alive when the system has collapsed, one choice, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import ipywidgets
import pytest

from lessons.retries import SixtySeconds, TwoFates
from lessons.retries.rescue import REMEDIES
from lessons.retries.two_fates import Form
from tests.lessons.retries.fates_on_paper import COST
from tests.lessons.show.event_source import ModelStack
from tests.lessons.show.test_panel import all_widgets, button, until

QUICK = Form(start_s=0.3, spike_s=0.4, height=4.0, turn_s=0.3, end_s=4.5)
"""A "minute" of a second and a half."""

LONG = QUICK._replace(end_s=30.0)


class Game:
    """Two systems of the model."""

    def __init__(self) -> None:
        self.stacks = [ModelStack(), ModelStack()]
        one, other = self.stacks
        self.fates = TwoFates(one, other, COST)  # type: ignore[arg-type]  # what a pair needs of a stack
        self.made: list[SixtySeconds] = []

    def play(self, form: Form) -> SixtySeconds:
        """Shown, and begun by its button."""
        self.made.append(SixtySeconds(self.fates, form))
        self.made[-1].show()
        button("Start").click()
        return self.made[-1]


@pytest.fixture
async def game() -> AsyncIterator[Game]:
    """Closed afterwards."""
    found = Game()
    yield found
    for one in found.made:
        await one.pair.close()


def knobs() -> list[Any]:
    """The nine buttons."""
    names = {remedy.name for remedy in REMEDIES.values()}
    return [w for w in all_widgets() if isinstance(w, ipywidgets.Button) and w.description in names]


def said() -> str:
    """All that stands in lines of text."""
    return " ".join(w.value for w in all_widgets() if isinstance(w, ipywidgets.HTML))


async def test_the_buttons_wait_for_the_collapse_and_one_may_be_pressed(game: Game) -> None:
    """Nine of them; the first that is pressed is turned on the struck system alone, and all are off again."""
    minute = game.play(LONG)
    assert len(knobs()) == 9
    assert all(knob.disabled for knob in knobs())
    await until(lambda: not any(knob.disabled for knob in knobs()))
    assert game.stacks[0].runs[0].now() >= LONG.turned_s
    button("limit 16").click()
    button("jitter").click()
    await until(lambda: game.stacks[0].runs[0].steering)
    await until(lambda: all(knob.disabled for knob in knobs()))
    assert minute.chosen == "limit"
    assert [entry.knob for entry in game.stacks[0].runs[0].steering] == ["limit"]
    assert game.stacks[1].runs[0].steering == []


async def test_a_rescue_ends_the_game_and_is_told(game: Game) -> None:
    """The model's limit brings it back; both loads end, and the line says how long it took."""
    minute = game.play(LONG)
    await until(lambda: not any(knob.disabled for knob in knobs()))
    button("limit 16").click()
    await until(lambda: minute.tried, 25.0)
    await until(lambda: not minute.pair.running)
    assert minute.tried[0].startswith("limit 16: back ")
    assert "Limit 16: back " in said()


async def test_who_turns_nothing_is_told_that_nothing_mends_by_itself(game: Game) -> None:
    """When the time is over the loads end, and nothing counts as tried."""
    minute = game.play(QUICK)
    await until(lambda: "Nothing is broken" in said(), 15.0)
    await until(lambda: not minute.pair.running)
    assert minute.tried == []
    assert minute.chosen is None


async def test_a_knob_that_does_not_help_is_told_as_such(game: Game) -> None:
    """At the end of the time."""
    minute = game.play(QUICK._replace(height=12.0, end_s=6.5))
    await until(lambda: not any(knob.disabled for knob in knobs()))
    button("jitter").click()
    await until(lambda: minute.tried, 15.0)
    assert minute.tried == ["jitter: not within the minute"]


async def test_a_press_when_nothing_runs_does_nothing(game: Game) -> None:
    """Also not once the game is over."""
    minute = game.play(QUICK)
    await until(lambda: minute.pair.running)
    minute.pair.stop()
    await until(lambda: not minute.pair.running)
    knobs()[0].click()
    await asyncio.sleep(0)
    assert minute.chosen is None
    assert all(knob.disabled for knob in knobs())
