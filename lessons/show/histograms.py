"""How many came in each stretch of time: one row of bars per case, all on the same scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lessons.show import style
from lessons.show.figures import Picture

WIDTH_PX, ROW_PX, HEAD_PX, FOOT_PX = 900, 112, 44, 44
DRAWN = "your sketch"


class Row(NamedTuple):
    """What is written at a row, and its counts, one per bar."""

    name: str
    counts: ArrayLike


def histograms(title: str, rows: Sequence[Row], *, bin_s: float, drawn: Sequence[float] | None = None) -> Picture:
    """The picture; its text for screen readers has the highest bars.

    Args:
        title: the finding, or the question.
        rows: from the top.
        bin_s: width of a bar, seconds.
        drawn: a sketch of the first row, heights from 0 to 1 of its highest bar.
    """
    height_px = HEAD_PX + ROW_PX * len(rows) + FOOT_PX
    figure = Picture(figsize=(WIDTH_PX / style.DPI, height_px / style.DPI), dpi=style.DPI, facecolor=style.PAPER)
    counts = [np.asarray(row.counts, float) for row in rows]
    top = style.nice(1.08 * max(float(np.max(one, initial=0.0)) for one in counts))
    for number, (row, one) in enumerate(zip(rows, counts, strict=True)):
        bottom = (FOOT_PX + ROW_PX * (len(rows) - 1 - number)) / height_px
        axes = figure.add_axes((0.05, bottom, 0.935, (ROW_PX - 34) / height_px))
        style.dress(axes, row.name)
        axes.bar((np.arange(len(one)) + 0.5) * bin_s, one, width=0.92 * bin_s, color=style.BLUE)
        axes.set_xlim(0, max(map(len, counts)) * bin_s)
        axes.set_ylim(0, top)
        if number == 0 and drawn is not None:
            edges = np.arange(len(drawn) + 1) * bin_s
            scale = float(np.max(one, initial=0.0))
            axes.stairs(np.asarray(drawn) * scale, edges, color=style.VERMILLION, lw=2.4, ls="--", label=DRAWN)
            axes.legend(loc="upper right", fontsize=style.LABEL_PT, frameon=False)
        if number < len(rows) - 1:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("seconds", fontsize=style.LABEL_PT, color=style.GREY, loc="right")
    style.title(figure, title)
    figure.alt = f"{title}. {' '.join(_words(row, one, bin_s) for row, one in zip(rows, counts, strict=True))}"
    return figure


def _words(row: Row, counts: np.ndarray[tuple[int], np.dtype[np.float64]], bin_s: float) -> str:
    high = [n for n, count in enumerate(counts) if count >= 0.5 * np.max(counts, initial=1.0)]
    said = ", ".join(f"{counts[n]:.0f} at {n * bin_s:.1f} s" for n in high[:8])
    return f"{row.name[0].upper()}{row.name[1:]}: {said or 'none'}."
