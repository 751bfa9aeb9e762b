"""A plot of quantities over time: direct labels, bands, ticks where a knob was turned, an earlier run's ghost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.lines import Line2D

from lessons.show import style
from lessons.show.captions import Captions, segment
from lessons.show.scene import Band, Curve, Ghost, LongRun, Mark, Scene
from lessons.show.series import Array

CALM_S = 5.0
"""An axis shrinks only after its data has needed half of it, or less, for this long."""
MARKS = 5
"""At most so many turned knobs are named in one plot."""
SQUEEZE = 2.5
"""A level of theory that is so many times as high as the axis needs is named at its upper edge instead of drawn."""
CROWDED = 0.2
"""Of two levels of theory that are nearer than this share of the axis, only the first is named."""
EDGE = 0.02
"""A mark as new as that, as a share of the time axis, is named as if it had moved in from the edge already."""


class Stage(NamedTuple):
    """Where a plot over time takes place.

    ``span`` are the time axis' limits; ``scrolling`` says that it shows seconds ago and moves on, and then there is no
    ghost; changes of ``knobs`` are named here.
    """

    axes: Axes
    span: tuple[float, float]
    scrolling: bool
    bands: Sequence[Band]
    knobs: frozenset[str]


class TimePlot:
    """One plot over time.

    Args:
        stage: where, over which time, with which events.
        title: with the unit.
        curves: what to draw; the last is on top and chooses its label's place first.
        expect: the least upper limit of the left axis.
        names_bands: whether this plot is the one that names them.
        ghost: the earlier run; its ``ghost_column`` is drawn with the label ``ghost_label``.
        constant: a horizontal line (value, label, stroke).
        levels: theory's lines: the column of the view that each is about, and its label, in which ``{:.3g}`` is the
            value and ``{why}`` says of what.
    """

    def __init__(
        self,
        stage: Stage,
        title: str,
        curves: Sequence[Curve],
        *,
        expect: float = 1.0,
        names_bands: bool = False,
        ghost: Ghost | None = None,
        ghost_column: str = "",
        ghost_label: str = "",
        constant: tuple[float, str, style.Stroke] | None = None,
        levels: Mapping[str, str] | None = None,
    ) -> None:
        axes, self._span, self._scrolling, self._bands, self._knobs = stage
        self._axes, self._curves, self._names_bands, self._constant = axes, curves, names_bands, constant
        style.dress(axes, title)
        axes.set_xlim(*self._span)
        self._right = self._right_axis() if any(c.right for c in curves) else None
        self._tops = [0.0, 0.0]
        self._calm_since: list[float | None] = [None, None]
        self._expect = [expect, 1.5]
        self._scene: Scene | None = None
        self._level_labels = levels or {}
        self._levels = {column: self._line(style.LONG_RUN, axes) for column in self._level_labels}
        self._lines = [self._line(c.stroke, self._right if c.right else axes) for c in curves]
        self._ticks = self._line(style.STEER, axes)
        self._ticks.set_transform(axes.get_xaxis_transform())
        self._areas = [axes.axvspan(b.start_s, b.end_s, color=style.BAND, lw=0, zorder=0) for b in self._bands]
        for area in self._areas:
            area.set_animated(self._scrolling)
        self._ghost = self._draw_ghost(ghost, ghost_column, ghost_label) if ghost and not self._scrolling else None
        if constant:
            axes.axhline(constant[0], color=constant[2].color, ls=constant[2].dash, lw=constant[2].width, zorder=2)
            self._expect[0] = max(self._expect[0], constant[0] * 1.2)
        self._captions = Captions(axes)

    @property
    def axes(self) -> Sequence[Axes]:
        """The left axes, and the right one if there is any."""
        return [self._axes, self._right] if self._right else [self._axes]

    @property
    def fast(self) -> Sequence[Artist]:
        """The lines and the ticks."""
        return [*self._lines, self._ticks]

    @property
    def slow(self) -> Sequence[Artist]:
        """The labels, the bands when they move, and theory's lines, which seldom do."""
        return [*(self._areas if self._scrolling else ()), *self._levels.values(), *self._captions.texts]

    def fit(self, scene: Scene) -> bool:
        """Stepwise limits with hysteresis; see ``Plot``."""
        changed = False
        for side, axes in enumerate(self.axes):
            mine = [getattr(scene.view, c.column) for c in self._curves if c.right == bool(side)]
            top = max((float(np.nanmax(m, initial=0.0)) for m in mine), default=0.0)
            wanted = style.nice(max(top * 1.12, self._expect[side]))
            if not side:
                wanted = self._roomy(scene, wanted)
            now = scene.shift_s
            if wanted < 0.6 * self._tops[side] and self._scrolling:
                since = self._calm_since[side]
                self._calm_since[side] = now if since is None else since
                if now - (now if since is None else since) < CALM_S:
                    continue
            elif wanted <= self._tops[side]:
                self._calm_since[side] = None
                continue
            self._tops[side], self._calm_since[side], changed = wanted, None, True
            low = 1.0 if side else 0.0
            axes.set_ylim(low - 0.02 * (wanted - low), wanted)
        return changed

    def update(self, scene: Scene) -> None:
        """Take over the new data."""
        self._scene = scene
        for curve, line in zip(self._curves, self._lines, strict=True):
            x, y = self._data(curve, scene)
            line.set_data(x, y)
        for column, line in self._levels.items():
            level = scene.long_run.levels.get(column)
            line.set_data(*([], []) if level is None else (self._span, (level, level)))
        times = [m.t - scene.shift_s for m in _settled(scene.marks)]
        self._ticks.set_data(np.repeat(times, 3), np.tile([0.93, 1.0, np.nan], len(times)))
        for band, area in zip(self._bands, self._areas, strict=True):
            area.set_x(band.start_s - scene.shift_s)

    def arrange(self, renderer: RendererAgg, *, fresh: bool) -> None:
        """Give every line its name where there is room."""
        captions = self._captions
        captions.begin(fresh=fresh)
        if self._scene is None:
            return
        captions.avoid(self._ticks)
        self._name_events(self._scene)
        for curve, line in zip(self._curves[::-1], self._lines[::-1], strict=True):
            x, y = (np.asarray(values, float) for values in line.get_data())
            seen = np.isfinite(y) & (x >= self._span[0]) & (x <= self._span[1])
            if curve.column == "limit":
                captions.avoid(line)
            if seen.sum() > 2 and not (curve.column == "limit" and np.isnan(y[-1])):
                label = curve.label.format(float(y[seen][-1]))
                named = line
                if curve.column == "limit":
                    named = self._level()
                captions.name(curve.column, label, named, curve.stroke.text)
        if self._constant:
            value, label, stroke = self._constant
            captions.name("constant", label, segment(self._axes, *self._span, value), stroke.text)
        self._name_levels(self._scene.long_run)
        if self._ghost:
            line, label, stroke = self._ghost
            captions.name("ghost", label, line, stroke.text, alpha=style.GHOST_TEXT_ALPHA)
        captions.place(renderer)

    def _name_events(self, scene: Scene) -> None:
        top = self._axes.get_ylim()[1]
        for i, band in enumerate(self._bands if self._names_bands else ()):
            start, end = band.start_s - scene.shift_s, band.end_s - scene.shift_s
            if end > self._span[0] and start < self._span[1]:
                edge = segment(self._axes, max(start, self._span[0]), end, top)
                self._captions.name(f"band{i}", band.label, edge, style.WAITING.text, solid=False, bold=False)
        named = _settled([m for m in scene.marks if m.knob in self._knobs and m.t - scene.shift_s > self._span[0]])
        length = self._span[1] - self._span[0]
        # the newest chooses its place first: it is the one that somebody has just turned and is looking for
        for i, mark in reversed(list(enumerate(named))[-MARKS:]):
            x = min(mark.t - scene.shift_s, self._span[1] - EDGE * length)
            tick = segment(self._axes, x, x + 1e-3 * length, 0.93 * top)
            self._captions.name(f"mark{i % MARKS}", mark.label, tick, style.GREY, solid=False)

    def _name_levels(self, long_run: LongRun) -> None:
        top, ink, named = self._axes.get_ylim()[1], style.LONG_RUN.text, -math.inf
        for column, label in self._level_labels.items():
            level = long_run.levels.get(column)
            if level is None and not (long_run.why_not and column == "inside"):
                continue
            said = (
                f"theory: {long_run.why_not}" if level is None else label.format(level, why=long_run.but or "long run")
            )
            if level is None or level > top:
                edge = segment(self._axes, *self._span, 0.97 * top)
                above = "" if level is None else ", above"
                self._captions.name(f"theory {column}", said + above, edge, ink, solid=False)
            elif abs(level - named) > CROWDED * top:
                named = level
                self._captions.name(f"theory {column}", said, segment(self._axes, *self._span, level), ink)
            else:
                self._captions.avoid(segment(self._axes, *self._span, level))

    def _roomy(self, scene: Scene, wanted: float) -> float:
        """Room for theory's lines too, as far as the rest does not become too small to be seen."""
        levels = [scene.long_run.levels[column] for column in self._levels if column in scene.long_run.levels]
        return max([wanted, *(style.nice(1.12 * level) for level in levels if level <= SQUEEZE * wanted)])

    def _level(self) -> Line2D:
        """The limit now in force, from where it was last turned."""
        assert self._scene is not None
        x, limit = self._scene.x, self._scene.view.limit
        same = np.flatnonzero(limit != limit[-1])
        start = max(float(x[same[-1]]) if len(same) else float(x[0]), self._span[0])
        return segment(self._axes, start, self._span[1], float(limit[-1]))

    def _data(self, curve: Curve, scene: Scene) -> tuple[Array, Array]:
        x, y = scene.x, getattr(scene.view, curve.column)
        if curve.column == "limit" and len(x):
            # in force from now on, until somebody turns it
            return np.append(x, self._span[1]), np.append(y, y[-1])
        if curve.quiet and not _speaks(curve.column, scene):
            return x[:0], y[:0]
        return x, y

    def _line(self, stroke: style.Stroke, axes: Axes | None) -> Line2D:
        assert axes is not None
        line = Line2D([], [], color=stroke.color, ls=stroke.dash, lw=stroke.width, animated=True, zorder=3)
        axes.add_line(line)
        return line

    def _draw_ghost(self, ghost: Ghost, column: str, label: str) -> tuple[Line2D, str, style.Stroke]:
        y = getattr(ghost.view, column)
        stroke = next(c.stroke for c in self._curves if c.column == column)
        line = Line2D(
            ghost.view.t,
            y,
            color=stroke.color,
            lw=style.GHOST_WIDTH,
            alpha=style.GHOST_ALPHA,
            zorder=1,
            solid_capstyle="round",
        )
        self._axes.add_line(line)
        shown = y[ghost.view.t <= self._span[1]]
        self._expect[0] = max(self._expect[0], 1.12 * float(np.nanmax(shown, initial=0.0)))
        return line, label or ghost.name, stroke

    def _right_axis(self) -> Axes:
        right = self._axes.twinx()
        stroke = next(c.stroke for c in self._curves if c.right)
        right.tick_params(colors=stroke.text, labelsize=style.LABEL_PT, length=3, width=0.8)
        for side in ("top", "left", "bottom"):
            right.spines[side].set_visible(False)
        right.spines["right"].set_color(stroke.color)
        right.locator_params(axis="y", nbins=4)
        return right


def _speaks(column: str, scene: Scene) -> bool:
    values = getattr(scene.view, column)
    if column == "first":
        return bool(np.any(scene.view.arriving != values))
    return bool(np.nanmax(values, initial=0.0) > 0)


def _settled(marks: Sequence[Mark]) -> list[Mark]:
    """Of marks of one knob in quick succession, as a dragged slider makes them, only the last."""
    return [
        mark
        for i, mark in enumerate(marks)
        if not any(later.knob == mark.knob and later.t - mark.t < 1.0 for later in marks[i + 1 :])
    ]
