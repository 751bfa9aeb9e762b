"""Section c's two pairs of panels: what a spike leaves behind, and a minute to bring the system back with one knob."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence

import ipywidgets as w
import numpy as np

from demo_workers.records.run import Run
from lessons.retries.rescue import REMEDIES
from lessons.retries.two_fates import (
    FULL,
    SHORT,
    SHORT_RESCUE,
    TRIES,
    WELL,
    WELL_FOR_S,
    Form,
    TwoFates,
    is_well,
)
from lessons.show.pair import Pair, Rider, Side

NAMES = ("After a spike", "Without")
SEEN_S = 12.0
"""So long after the spike the first pair's button goes on."""

LOOK_S = 0.1
STRUCK = 0
"""Which side it is."""


def two_panels(fates: TwoFates) -> Pair:
    """The two systems side by side; Start plays a spike of five seconds, and twelve after it."""
    return _pair("04 two fates", fates, FULL._replace(end_s=SEEN_S))


async def play_two(fates: TwoFates, pair: Pair) -> tuple[Run, Run]:
    """The short form, live; returns the run with the spike and the one without.

    The system without a spike is the control: when it is not well either, the machine was busy with something else,
    and both are played again, twice at most.
    """
    found = await _play_two(fates, pair)
    for _ in range(TRIES - 1):
        if not is_well(found[1]):
            found = await _play_two(fates, pair)
    return found


async def _play_two(fates: TwoFates, pair: Pair) -> tuple[Run, Run]:
    struck, calm = await pair.run(fates.load(SHORT), fates.load(SHORT, struck=False))
    assert isinstance(struck, Run)
    assert isinstance(calm, Run)
    return struck, calm


def _pair(
    name: str, fates: TwoFates, form: Form, *, rider: Rider | None = None, below: Sequence[w.Widget] = ()
) -> Pair:
    sides = [
        Side(stack, fates.load(form, struck=struck), said)
        for stack, struck, said in zip((fates.struck, fates.calm), (True, False), NAMES, strict=True)
    ]
    return Pair(name, sides, noun="posts", rider=rider, below=below)


class SixtySeconds:
    """The same two with nine buttons; Start plays the spike, and then the minute begins.

    Args:
        fates: the two systems.
        form: what Start plays.
    """

    def __init__(self, fates: TwoFates, form: Form = FULL) -> None:
        self._fates, self._form = fates, form
        self._loop = asyncio.get_running_loop()
        self._buttons = {
            key: w.Button(
                description=remedy.name, disabled=True, tooltip="one knob may be turned", layout=w.Layout(width="auto")
            )
            for key, remedy in sorted(REMEDIES.items(), key=lambda item: item[1].name)
        }
        for key, button in self._buttons.items():
            # widget callbacks may come on any thread
            button.on_click(lambda _, key=key: self._loop.call_soon_threadsafe(self._choose, key))
        self._line, self._tried = w.HTML(), w.HTML()
        row = w.HBox([*self._buttons.values()], layout=w.Layout(flex_flow="row wrap"))
        self.pair = _pair("04 sixty seconds", fates, form, rider=self._minute, below=[row, self._line, self._tried])
        self._say("Start plays the spike. Two seconds after it the minute begins: one knob may be turned.")
        self._chosen: str | None = None
        self._turned_s = 0.0
        self.tried: list[str] = []

    def show(self) -> None:
        """Display it."""
        self.pair.show()

    @property
    def chosen(self) -> str | None:
        """The knob that was turned in this run, if one was."""
        return self._chosen

    async def run(self, key: str = "lifo") -> Run:
        """The short form, live: a short spike, and one second after it a knob is turned.

        Args:
            key: of ``REMEDIES``.

        Raises:
            LabError: what went wrong.
        """

        async def turn(pair: Pair) -> None:
            await self._until(pair, SHORT_RESCUE.turned_s)
            self._turn(pair, key)

        loads = self._fates.load(SHORT_RESCUE), self._fates.load(SHORT_RESCUE, struck=False)
        run, _ = await self.pair.run(*loads, rider=turn)
        assert isinstance(run, Run)
        return run

    async def _minute(self, pair: Pair) -> None:
        """Count the seconds down, and see whether people are served again."""
        self._chosen = None
        self._say("Watch the left one: it is healthy, and then comes the spike.")
        try:
            await self._until(pair, self._form.turned_s)
            self._enable(True)
            while (left_s := self._form.over_s - pair.now_s) > 0:
                if (key := self.chosen) is None:
                    self._say(f"{left_s:.0f} seconds left. Nobody is served. Turn one knob of the left system.")
                elif pair.now_s - self._turned_s > WELL_FOR_S and self._well(pair):
                    back_s = pair.now_s - WELL_FOR_S - self._turned_s
                    return self._end(pair, f"back {back_s:.0f} s after the knob was turned")
                else:
                    self._say(f"{left_s:.0f} seconds left. You turned: {REMEDIES[key].name}.")
                await asyncio.sleep(LOOK_S)
            self._end(pair, "not within the minute")
        finally:
            self._enable(False)

    async def _until(self, pair: Pair, t: float) -> None:
        while pair.now_s < t:
            await asyncio.sleep(LOOK_S / 10)

    def _choose(self, key: str) -> None:
        if self.pair.running and self._chosen is None:
            self._turn(self.pair, key)
            self._enable(False)

    def _turn(self, pair: Pair, key: str) -> None:
        self._chosen, self._turned_s = key, pair.now_s
        for knob, value in REMEDIES[key].knobs.items():
            pair.turn(STRUCK, knob, value)

    def _well(self, pair: Pair) -> bool:
        """Whether of those who came lately nearly as many were served in time."""
        view = pair.series(STRUCK).view(pair.now_s, WELL_FOR_S, smooth=1)
        return bool(np.sum(view.in_time) >= WELL * np.sum(view.first) > 0)

    def _end(self, pair: Pair, how: str) -> None:
        if self._chosen is None:
            self._say("The minute is over and nobody was served. Nothing is broken, so nothing mends by itself.")
        else:
            remedy = REMEDIES[self._chosen]
            self._say(f"{remedy.name[0].upper()}{remedy.name[1:]}: {how}. Start plays it again, for another knob.")
            self.tried.append(f"{remedy.name}: {how}")
            self._tried.value = f"<span>Tried: {html.escape(' · '.join(self.tried))}</span>"
        pair.stop()

    def _enable(self, on: bool) -> None:
        for button in self._buttons.values():
            button.disabled = not on

    def _say(self, sentence: str) -> None:
        self._line.value = f'<b role="status">{html.escape(sentence)}</b>'
