"""Where a line's name goes: near its own line, across no line, and not nearer to another one.

The plot's area is cut into small cells. Cells that a line or an earlier label covers are busy; every place for the
label is scored at once. A label stays where it was until that place is taken or a much better one appears, so that a
live picture does not flicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CELL = 3.0
"""Pixels a side."""
STAY = 30.0
"""How many pixels nearer another place must be to move there."""
CROSSED = 60.0
"""Cost in pixels of each busy cell under the label: only taken when nothing is free."""
LOST = 90.0
"""A label further than this from its line would name something else."""
TOUCHED = 4
"""A label that would cover more busy cells than this is left out."""

FAR = 500.0
"""Pixels from a line that is nowhere near."""


class Area(NamedTuple):
    """A rectangle in pixels, y upwards."""

    x0: float
    y0: float
    x1: float
    y1: float


class Want(NamedTuple):
    """A label to be placed.

    ``line`` is what it names, an array (n, 2) of pixels; ``width`` and ``height`` are the text's; ``kept`` is where its
    lower left corner was before. ``solid`` is False for a line that others may cross, such as a band's upper edge.
    """

    line: Array
    width: float
    height: float
    kept: tuple[float, float] | None = None
    solid: bool = True


class _Grid:
    def __init__(self, area: Area) -> None:
        self.area = area
        self.nx = max(int((area.x1 - area.x0) / CELL), 1)
        self.ny = max(int((area.y1 - area.y0) / CELL), 1)
        self.busy = np.zeros((self.ny, self.nx), bool)

    def trace(self, line: Array) -> tuple[Array, Array]:
        """Mark a line busy; returns its lowest and highest y (pixels) in every column of cells."""
        low, high = np.full(self.nx, np.inf), np.full(self.nx, -np.inf)
        x, y = line[:, 0], line[:, 1]
        sound = np.isfinite(x) & np.isfinite(y)
        both = sound[1:] & sound[:-1]
        a, b = line[:-1][both], line[1:][both]
        if len(a):
            steps = np.maximum(np.ceil(np.abs(b - a).max(1) / CELL), 1).astype(int)
            of = np.repeat(np.arange(len(a)), steps)
            share = (np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[of]
            points = np.concatenate([a[of] + share[:, None] * (b - a)[of], b[-1:]])
            columns = ((points[:, 0] - self.area.x0) / CELL).astype(int)
            inside = (columns >= 0) & (columns < self.nx)
            columns, ys = columns[inside], points[inside, 1]
            np.minimum.at(low, columns, ys)
            np.maximum.at(high, columns, ys)
            rows = ((ys - self.area.y0) / CELL).astype(int)
            for up in (-1, 0, 1):  # a line has a width
                r = rows + up
                seen = (r >= 0) & (r < self.ny)
                self.busy[r[seen], columns[seen]] = True
        return low, high

    def block(self, x: float, y: float, width: float, height: float) -> None:
        """Mark a rectangle busy."""
        c, r = round((x - self.area.x0) / CELL), round((y - self.area.y0) / CELL)
        self.busy[max(r, 0) : r + _cells(height), max(c, 0) : c + _cells(width)] = True


def place(area: Area, wants: Sequence[Want], obstacles: Sequence[Array] = ()) -> list[tuple[float, float] | None]:
    """Lower left corners (pixels) for labels, in the order given; the first choose first. None: there is no room.

    Args:
        area: where labels may be.
        wants: what is to be named.
        obstacles: further lines (n, 2) that no label should cross.
    """
    grid = _Grid(area)
    for line in obstacles:
        grid.trace(line)
    spans = [grid.trace(want.line) if want.solid else _Grid(area).trace(want.line) for want in wants]
    places: list[tuple[float, float] | None] = []
    for i, want in enumerate(wants):
        # what names a moment is understood by where it stands; a line's name has to keep away from other lines
        others = [span for k, span in enumerate(spans) if want.solid and k != i and wants[k].solid]
        found = _best(grid, want, spans[i], others)
        if found:
            grid.block(*found, want.width, want.height)
        places.append(found)
    return places


def _best(
    grid: _Grid, want: Want, own: tuple[Array, Array], others: Sequence[tuple[Array, Array]]
) -> tuple[float, float] | None:
    w, h = min(_cells(want.width), grid.nx), min(_cells(want.height), grid.ny)
    total = np.zeros((grid.ny + 1, grid.nx + 1))
    total[1:, 1:] = grid.busy.cumsum(0).cumsum(1)
    crossed = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    bottom: Array = grid.area.y0 + CELL * np.arange(crossed.shape[0], dtype=float)[:, None]
    gap = _gap(own, bottom, h * CELL, w)
    cost = gap + CROSSED * crossed - _apart(own, others, w)[None, :]
    for other in others:
        # nearer to a stranger than to its own line is misleading
        nearer: Array = gap + 4 - _gap(other, bottom, h * CELL, w)
        cost = cost + np.minimum(np.maximum(nearer, 0), 25)
    # among equals the newest data, at the right, and above the line
    cost = cost - 0.02 * CELL * np.arange(crossed.shape[1])[None, :] - 0.01 * (bottom - grid.area.y0)
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    if want.kept is not None:
        c = min(max(round((want.kept[0] - grid.area.x0) / CELL), 0), cost.shape[1] - 1)
        r = min(max(round((want.kept[1] - grid.area.y0) / CELL), 0), cost.shape[0] - 1)
        if crossed[r, c] == 0 and cost[r, c] <= cost[row, column] + STAY:
            row, column = np.intp(r), np.intp(c)
    if crossed[row, column] > TOUCHED or gap[row, column] > LOST:
        return None
    return grid.area.x0 + CELL * float(column), grid.area.y0 + CELL * float(row)


def _gap(span: tuple[Array, Array], bottom: Array, height: float, width: int) -> Array:
    """Mean pixels between a label at each place and a line; far away where the line has no say."""
    low, high = (_window_mean(side, width)[None, :] for side in span)
    return np.asarray(np.where(np.isfinite(high), np.maximum(bottom - high, low - (bottom + height)), FAR))


def _apart(own: tuple[Array, Array], others: Sequence[tuple[Array, Array]], width: int) -> Array:
    """A bonus in pixels for naming a line where it is far from all others."""
    if not others:
        return np.zeros(len(own[0]) - width + 1)
    with np.errstate(invalid="ignore"):
        apart = np.min([np.abs(own[0] + own[1] - other[0] - other[1]) / 2 for other in others], axis=0)
    return np.nan_to_num(
        0.5 * np.minimum(_window_mean(np.where(np.isnan(apart), np.nan, np.minimum(apart, 80)), width), 80)
    )


def _window_mean(values: Array, width: int) -> Array:
    """Mean over every ``width`` neighbours; NaN where fewer than half of them (or of the short line) are there."""
    there = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(there)])
    n = count[width:] - count[:-width]
    return np.asarray(
        np.where(2 * n >= max(min(width, count[-1]), 1), (total[width:] - total[:-width]) / np.maximum(n, 1), np.nan)
    )


def _cells(pixels: float) -> int:
    return max(int(np.ceil(pixels / CELL)), 1)
