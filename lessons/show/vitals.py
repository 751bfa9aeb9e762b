"""A small picture of one system, for two side by side: whom it serves, and its health as a dashboard has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lessons.show import style
from lessons.show.layout import KNOBS, Look, Sheet, time_axis
from lessons.show.scene import Curve, Mark, Plot, Scene
from lessons.show.series import Totals, View
from lessons.show.timeplot import Stage, TimePlot

SIZE_PX = (444, 336)
RECENT_S = 1.0
"""Bars are means over so long: a worker between two jobs is not idle."""

ROWS = ("workers alive", "workers busy", "errors")
HEALTHY, SICK, TRACK = style.GREEN, style.VERMILLION, "#E5E7EB"
BAR_X, BAR_W, BAR_H = 0.34, 0.46, 0.5
MANY = 10
"""So many errors fill their bar."""

SPLIT = 0.385
"""Where the bars end and the curve begins, as a share of the height; the title takes what is above ``TOP``."""
TOP = 0.885
IN_TIME = (Curve("in_time", "in time", style.IN_TIME),)


class State(NamedTuple):
    """What a dashboard says: ``alive`` of ``workers``, the share of them that is ``busy``, and ``errors`` so far."""

    workers: int
    alive: int
    busy: float
    errors: int

    @property
    def words(self) -> tuple[str, str, str]:
        """The numbers beside the bars."""
        return f"{self.alive} of {self.workers}", f"{self.busy:.0%}", str(self.errors)


def state(look: Look, view: View, totals: Totals, marks: Sequence[Mark]) -> State:
    """The state at the end of a view, or at the end of the load if that came before.

    Args:
        look: says how many workers there were at the start, and when the load ends.
        view: up to now.
        totals: so far.
        marks: what was done: workers that were hired, or died; those are replaced by nobody.
    """
    hired = [mark.value for mark in marks if mark.knob == "workers"]
    workers = int(hired[-1]) if hired else look.workers
    alive = max(workers - sum(mark.knob == "worker_died" for mark in marks), 0)
    seen = view.busy[view.t <= (look.duration_s or math.inf)]
    bins = max(round(RECENT_S / (view.t[1] - view.t[0])), 1) if len(view.t) > 1 else 1
    busy = min(float(np.mean(seen[-bins:])) / workers, 1.0) if len(seen) and workers else 0.0
    return State(workers, alive, busy, totals.failed + totals.broken)


def words(look: Look, view: View, totals: Totals, marks: Sequence[Mark]) -> str:
    """The same and the curve's last value, for who does not see them."""
    rates = view.in_time[view.t <= (look.duration_s or math.inf)]
    if not len(rates):
        return ""
    alive, busy, errors = state(look, view, totals, marks).words
    return f"{rates[-1]:.0f} per second in time; {alive} workers alive, {busy} busy; {errors} errors."


class Vitals:
    """Three bars: how many workers live, how busy they are, how many errors there were.

    Args:
        axes: where to draw.
        look: says how many workers there are, and when the load ends.
    """

    def __init__(self, axes: Axes, look: Look) -> None:
        self._axes, self._look = axes, look
        axes.set(xlim=(0, 1), ylim=(-0.6, len(ROWS) - 0.4))
        axes.axis("off")
        kind = {"fontsize": style.LABEL_PT, "va": "center"}
        self._bars, self._numbers = [], []
        for row, name in enumerate(ROWS):
            y = len(ROWS) - 1 - row
            axes.text(0, y, name, color=style.INK, fontweight="bold", **kind)  # type: ignore[arg-type]
            axes.add_patch(Rectangle((BAR_X, y - BAR_H / 2), BAR_W, BAR_H, fc=TRACK, lw=0))
            bar = Rectangle((BAR_X, y - BAR_H / 2), 0, BAR_H, fc=HEALTHY, lw=0, animated=True)
            axes.add_patch(bar)
            self._bars.append(bar)
            self._numbers.append(axes.text(1, y, "", color=style.INK, ha="right", animated=True, **kind))  # type: ignore[arg-type]

    @property
    def axes(self) -> Sequence[Axes]:
        """The only axes."""
        return [self._axes]

    @property
    def fast(self) -> Sequence[Artist]:
        """Nothing: bars need not be redrawn ten times a second."""
        return []

    @property
    def slow(self) -> Sequence[Artist]:
        """Bars and numbers."""
        return [*self._bars, *self._numbers]

    def fit(self, scene: Scene) -> bool:
        """Shares need no other limits."""
        return False

    def update(self, scene: Scene) -> None:
        """Take over the state of now, or of the load's end when it is over."""
        now = state(self._look, scene.view, scene.totals, scene.marks)
        shares = (now.alive / now.workers if now.workers else 0.0, now.busy, min(now.errors / MANY, 1.0))
        ills = (now.alive < now.workers, False, now.errors > 0)
        for bar, number, share, words, ill in zip(self._bars, self._numbers, shares, now.words, ills, strict=True):
            bar.set(width=BAR_W * share, facecolor=SICK if ill else HEALTHY, hatch="//" if ill else "")
            number.set_text(words)

    def arrange(self, renderer: RendererAgg, *, fresh: bool) -> None:
        """Nothing has to look for a place."""


def _plots(figure: Figure, look: Look) -> list[Plot]:
    curve = figure.add_axes((0.075, 0.485, 0.895, 0.31))
    time_axis(curve, look, named=False)
    stage = Stage(curve, look.span, look.scrolling, look.bands, frozenset().union(*KNOBS.values()))
    rate = look.arrival_rate
    comes = (rate, f"{rate:.0f} new ones per second", style.PATIENCE)
    return [
        TimePlot(
            stage, f"{look.noun.capitalize()} answered in time, per second", IN_TIME,
            expect=1.5 * rate, names_bands=True, constant=comes,
        ),
        Vitals(figure.add_axes((0.03, 0.02, 0.94, 0.345)), look),
    ]  # fmt: skip


def _cell(at: int, width: float, height: float) -> tuple[float, float, float, float]:
    low, split, top = 0, round(SPLIT * height), round(TOP * height)
    return (0, split, round(width), top) if at == 0 else (0, low, round(width), split)


HEALTH = Sheet(SIZE_PX, _plots, _cell, (frozenset().union(*KNOBS.values()), frozenset()), words=words)
"""The curve above, the bars below."""
