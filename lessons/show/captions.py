"""The names in a plot: Text artists in pixels, each placed near what it names."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

from lessons.show import labels, style

ASIDE = 4.0
"""Pixels kept free at both ends of a label, since a live line moves on before the label does."""
INSET = 3.0
"""Pixels kept free inside the axes' frame."""


class _Name(NamedTuple):
    key: str
    text: Text
    line: Line2D
    solid: bool


class Captions:
    """The labels of one axes.

    Args:
        axes: whose labels they are.
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._pool: dict[str, Text] = {}
        self._names: list[_Name] = []
        self._obstacles: list[Line2D] = []
        self._kept: dict[str, tuple[float, float]] = {}
        self._sizes: dict[tuple[str, bool], tuple[float, float]] = {}

    @property
    def texts(self) -> list[Text]:
        """What is to be drawn."""
        return [name.text for name in self._names]

    def begin(self, *, fresh: bool) -> None:
        """Start a new set of labels."""
        self._names, self._obstacles = [], []
        if fresh:
            self._kept.clear()
        for text in self._pool.values():
            text.set_visible(False)

    def name(
        self,
        key: str,
        label: str,
        line: Line2D,
        colour: str,
        *,
        alpha: float = 1.0,
        solid: bool = True,
        bold: bool = True,
    ) -> None:
        """Ask for a label near a line; ``key`` recognises it the next time."""
        text = self._pool.get(key)
        if text is None:
            text = Text(fontsize=style.LABEL_PT, va="bottom", ha="left", zorder=5, transform=IdentityTransform())
            text.set_animated(True)
            self._axes.add_artist(text)
            text.set_transform(IdentityTransform())
            self._pool[key] = text
        text.set(text=label, color=colour, alpha=alpha, fontweight="bold" if bold else "normal", visible=True)
        self._names.append(_Name(key, text, line, solid))

    def avoid(self, line: Line2D) -> None:
        """No label may cross this line, which has no label of its own."""
        self._obstacles.append(line)

    def place(self, renderer: RendererAgg) -> None:
        """Find a place for each."""
        # sizes are in pixels of the plain resolution, so that a sharper picture looks the same
        scale = renderer.dpi / style.DPI
        box = self._axes.bbox
        area = labels.Area(
            box.x0 / scale + INSET, box.y0 / scale + INSET, box.x1 / scale - INSET, box.y1 / scale - INSET
        )
        wants, obstacles = [], [_pixels(line, scale) for line in self._obstacles]
        for name in self._names:
            width, height = self._size(name.text, renderer, scale)
            line, kept = _pixels(name.line, scale), self._kept.get(name.key)
            wants.append(labels.Want(line, width + 2 * ASIDE, height + 1, kept, name.solid))
        for name, found in zip(self._names, labels.place(area, wants, obstacles), strict=True):
            name.text.set_visible(found is not None)
            if found is None:
                self._kept.pop(name.key, None)
            else:
                self._kept[name.key] = found
                name.text.set_position(((found[0] + ASIDE) * scale, found[1] * scale))

    def _size(self, text: Text, renderer: RendererAgg, scale: float) -> tuple[float, float]:
        key = text.get_text(), text.get_fontweight() == "bold"
        if key not in self._sizes:
            box = text.get_window_extent(renderer)  # of the line, so that ink without descenders is not above its box
            self._sizes[key] = box.width / scale, box.height / scale
        return self._sizes[key]


def _pixels(line: Line2D, scale: float) -> labels.Array:
    return np.asarray(line.get_transform().transform(np.column_stack(line.get_data())) / scale, float)


def segment(axes: Axes, start: float, end: float, y: float) -> Line2D:
    """A horizontal stretch in data coordinates that is not drawn, only named."""
    line = Line2D([start, end], [y, y])
    line.set_transform(axes.transData)
    return line
