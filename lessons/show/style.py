"""How everything looks, in one place: colours, line styles, type sizes, paper.

Colour never stands alone: every quantity has a line style of its own, every area a hatch.

Source: the palette is Okabe and Ito's, "Color Universal Design", 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
VERMILLION = "#D55E00"
ORANGE = "#E69F00"
PURPLE = "#CC79A7"
INK = "#1A1A1A"
GREY = "#6B7280"
GRID = "#ECECEC"
BAND = "#FDF1DC"
PAPER = "#FFFFFF"

DPI = 100
SIZE_PX = (900, 500)
TITLE_PT, HEAD_PT, LABEL_PT = 15.0, 10.5, 9.0
"""The only three sizes of type."""

GHOST_ALPHA = 0.26
GHOST_WIDTH = 4.0
GHOST_TEXT_ALPHA = 0.62
"""A ghost's line may be pale, its label must still be readable."""


@dataclass(frozen=True)
class Stroke:
    """How one quantity is drawn as a line.

    ``ink`` is the colour of its label where the line's own colour is too pale to read.
    """

    color: str
    dash: Any = "-"
    width: float = 2.0
    ink: str = ""

    @property
    def text(self) -> str:
        """The label's colour."""
        return self.ink or self.color


ARRIVALS = Stroke(BLUE)
FIRST = Stroke(BLUE, (0, (1, 1)), 1.2)
IN_TIME = Stroke(GREEN, (0, (4, 1.6)), 2.4)
REFUSED = Stroke(VERMILLION, (0, (1.2, 1.2)), 2.0)
INSIDE = Stroke(BLUE)
LIMIT = Stroke(INK, "-.", 1.3)
MEDIAN = Stroke(SKY, "-", 2.0, ink="#1B7DB5")
P95 = Stroke(VERMILLION, (0, (4, 1.6)), 2.0)
PATIENCE = Stroke(INK, (0, (1, 1.6)), 1.4)
WAITING = Stroke(ORANGE, "-", 2.0, ink="#9A6A00")
AMPLIFICATION = Stroke(PURPLE, (0, (5, 1.5, 1, 1.5)), 2.0, ink="#A5487C")
STEER = Stroke(GREY, "-", 1.0)
THEORY = Stroke(PURPLE, (0, (1.0, 1.0)), 3.2, ink="#A5487C")
LONG_RUN = Stroke(PURPLE, (0, (1.0, 1.6)), 2.0, ink="#A5487C")
TWIN = Stroke(ORANGE, "-", 1.6, ink="#9A6A00")
LIVE = Stroke(BLUE, "-", 2.8)


@dataclass(frozen=True)
class Fill:
    """How one fate is drawn as an area: face, hatch, and the colour of text on it."""

    face: str
    hatch: str
    edge: str
    text: str


FATES = {
    "in_time": Fill(GREEN, "", GREEN, PAPER),
    "late": Fill("#D1D5DB", "////", PAPER, INK),
    "refused": Fill("#F2BFA0", "xx", PAPER, INK),
    "gave_up": Fill("#EBCBDC", "..", PURPLE, INK),
    "failed": Fill("#4B5563", "--", PAPER, PAPER),
}
"""What became of requests, in the order they are stacked."""


def dress(axes: Axes, title: str) -> None:
    """White card, no top and right spine, pale grid, heading at the left."""
    axes.set_title(title, loc="left", fontsize=HEAD_PT, fontweight="bold", color=INK, pad=7)
    axes.set_facecolor(PAPER)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9CA3AF")
    axes.tick_params(colors=GREY, labelsize=LABEL_PT, length=3, width=0.8)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def nice(top: float) -> float:
    """The next round number at or above ``top`` that makes a calm axis."""
    if not top > 0:
        return 1.0
    power = 10.0 ** int(f"{top:e}".partition("e")[2])
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= top * (1 - 1e-9))


def title(figure: Figure, text: str, artist: Text | None = None) -> Text:
    """The figure's title at the upper left, as large as it fits."""
    if artist is None:
        top = 1 - 12 / (figure.get_figheight() * DPI)
        artist = figure.text(0.012, top, "", fontweight="bold", color=INK, va="top", ha="left")
    artist.set(text=text, fontsize=TITLE_PT)
    renderer, size = FigureCanvasAgg(figure).get_renderer(), TITLE_PT
    for _ in range(3 if text else 0):  # letters do not shrink quite as their size does
        size = max(size * min(1.0, 0.976 * figure.bbox.width / artist.get_window_extent(renderer).width), HEAD_PT)
        artist.set_fontsize(size)
    return artist
