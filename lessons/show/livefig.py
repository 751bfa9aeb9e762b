"""The live figure: plots that are redrawn ten times a second for a thirtieth of what a new figure would cost.

Axes, grids and ticks are drawn once and kept as pixels (the base). Labels and bars are drawn upon that, one plot after
the other, and kept too. A frame is then: copy the pixels back, draw the lines, encode. Agg only, no pyplot:
nothing is registered anywhere, nothing leaks. Same calls with the same data give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox, IdentityTransform

from lessons.show import png, style
from lessons.show.layout import FOUR, Look
from lessons.show.scene import LongRun, Mark, Scene
from lessons.show.series import Series

EVERY = 2
"""Frames from one plot's labels to the next one's."""


class LiveFigure:
    """A figure of one run, going on or over.

    Args:
        look: what it is about.
        scale: pixels per CSS pixel, 1 to 2.
        make: the class of figure.
    """

    def __init__(self, look: Look, *, scale: float = 1.0, make: type[Figure] = Figure) -> None:
        self.look, self._sheet = look, look.sheet or FOUR
        width, height = (px / style.DPI for px in self._sheet.size_px)
        self.figure = make(figsize=(width, height), dpi=style.DPI * scale, facecolor=style.PAPER)
        self._plots = self._sheet.plots(self.figure, look)
        self._title = style.title(self.figure, look.question)
        self._canvas = FigureCanvasAgg(self.figure)
        self._base: list[Any] = []
        self._labelled: list[Any] = []
        self._turn, self._marked_s = 0, -math.inf
        self._long_run, self._expects = LongRun(), False

    @property
    def title(self) -> str:
        """The question, or the finding."""
        return self._title.get_text()

    def retitle(self, text: str) -> None:
        """Set the title; it costs one full drawing."""
        if text != self._title.get_text():
            style.title(self.figure, text, self._title)
            self._canvas = FigureCanvasAgg(self.figure)
            self._base = []

    def rescale(self, scale: float) -> None:
        """Draw sharper or coarser from now on; it costs one full drawing."""
        if self.figure.dpi != style.DPI * scale:
            self.figure.set_dpi(style.DPI * scale)
            self._base = []

    def expect(self, long_run: LongRun) -> None:
        """What theory says of the present settings; drawn and named from the next frame on."""
        self._expects = self._expects or long_run != self._long_run
        self._long_run = long_run

    def frame(self, series: Series, now: float, marks: Sequence[Mark] = ()) -> bytes:
        """A PNG of the present state.

        Args:
            series: what happened; bins that are not complete at ``now`` are left out.
            now: seconds since the run's origin.
            marks: knobs turned so far.
        """
        self._draw(self._scene(series, now, marks), fresh=False)
        return png.encode(self._pixels())

    def snapshot(self, series: Series, now: float | None = None, marks: Sequence[Mark] = ()) -> bytes:
        """A PNG to be kept: everything drawn and placed anew, all of the run when ``now`` is None."""
        self._base = []
        self._draw(self._scene(series, now, marks), fresh=True)
        return png.encode(self._pixels(), level=9)

    def still(self, series: Series, marks: Sequence[Mark] = ()) -> Figure:
        """The figure itself at the end of a run, to be kept, shown or saved by Matplotlib's own means."""
        self.snapshot(series, None, marks)
        for plot in self._plots:
            for artist in (*plot.fast, *plot.slow):
                artist.set_animated(False)
        return self.figure

    def _scene(self, series: Series, now: float | None, marks: Sequence[Mark]) -> Scene:
        scrolling = self.look.scrolling
        end = series.latest_s if now is None else now
        shift = end if scrolling else 0.0
        view = series.view(now, self.look.window_s + 1 if scrolling else None)
        inside = [m for m in marks if m.t - shift >= self.look.span[0]]
        return Scene(view, series.totals(), view.t - shift, shift, inside, over=now is None, long_run=self._long_run)

    def _draw(self, scene: Scene, *, fresh: bool) -> None:
        changed = [i for i, plot in enumerate(self._plots) if plot.fit(scene)]
        for plot in self._plots:
            plot.update(scene)
        if not self._base:
            self._draw_base()
            changed = []
        for i in changed:
            self._redraw_axes(i)
        everything = fresh or not self._labelled
        turned = {mark.knob for mark in scene.marks if mark.t > self._marked_s}
        news, self._expects = (self._sheet.levelled if self._expects else frozenset()), False
        self._marked_s = max((mark.t for mark in scene.marks), default=-math.inf)
        if not self._labelled:
            self._labelled = list(self._base)
        turn = set(range(len(self._plots))) if everything else {*self._due(), *changed, *news, *self._naming(turned)}
        renderer = self._canvas.get_renderer()
        for i in turn:
            self._label(i, renderer, fresh=fresh)
        for i, plot in enumerate(self._plots):
            if i not in turn:
                self._canvas.restore_region(self._labelled[i])
            for artist in plot.fast:
                artist.axes.draw_artist(artist)  # type: ignore[union-attr]

    def _due(self) -> list[int]:
        """The plot whose labels are looked after in this frame: text costs more than lines do."""
        self._turn = (self._turn + 1) % (EVERY * len(self._plots))
        return [] if self._turn % EVERY else [self._turn // EVERY]

    def _label(self, i: int, renderer: Any, *, fresh: bool) -> None:
        plot = self._plots[i]
        self._canvas.restore_region(self._base[i])
        plot.arrange(renderer, fresh=fresh)
        for artist in plot.slow:
            artist.axes.draw_artist(artist)  # type: ignore[union-attr]
        self._labelled[i] = self._canvas.copy_from_bbox(self._cell(i))

    def _draw_base(self) -> None:
        self._canvas.draw()
        self._base = [self._canvas.copy_from_bbox(self._cell(i)) for i in range(len(self._plots))]
        self._labelled = []

    def _redraw_axes(self, i: int) -> None:
        renderer, box = self._canvas.get_renderer(), self._cell(i)
        blank = Rectangle(box.p0, box.width, box.height, fc=style.PAPER, lw=0, transform=IdentityTransform())
        blank.set_figure(self.figure)
        blank.draw(renderer)
        for axes in self._plots[i].axes:
            axes.draw(renderer)
        self._base[i] = self._canvas.copy_from_bbox(box)

    def _cell(self, i: int) -> Bbox:
        return Bbox.from_extents(*self._sheet.cell(i, self.figure.bbox.width, self.figure.bbox.height))

    def _pixels(self) -> png.Pixels:
        return np.asarray(self._canvas.buffer_rgba())

    def _naming(self, knobs: set[str]) -> list[int]:
        """The plots that name these knobs; whoever turned one is waiting to see it, and the other labels can wait."""
        return [i for i, named in enumerate(self._sheet.knobs) if named & knobs]
