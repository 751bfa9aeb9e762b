"""Reading words in a picture: they are drawn once more by themselves and looked for in its pixels."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from lessons.show import png, style

Grey = NDArray[np.int16]
UNLIKE = 9.0
"""Mean difference (0 to 255) up to which the pixels are said to be the word's: a line may touch it.
Another digit makes it 11 at the least."""


def reads(picture: Image.Image | bytes, words: str, *, bold: bool = True, colour: str = style.GREY) -> bool:
    """Whether these words stand somewhere in a picture, in the type of the plots' labels.

    Args:
        picture: of plain resolution.
        words: one label.
        bold: its weight.
        colour: its colour.
    """
    return unlikeness(picture, words, bold=bold, colour=colour) <= UNLIKE


def unlikeness(picture: Image.Image | bytes, words: str, *, bold: bool = True, colour: str = style.GREY) -> float:
    """Mean difference of the pixels at the best place, 0 to 255."""
    image = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
    page, word = _green(image), _drawn(words, bold, colour)
    windows = np.lib.stride_tricks.sliding_window_view(page, word.shape)
    # most places are told apart by a few pixels of the word: only where those agree the rest is compared
    ink = np.argwhere(word < 160)
    some = ink[:: max(len(ink) // 8, 1)]
    likely = np.mean([np.abs(windows[..., y, x] - word[y, x]) for y, x in some], axis=0) < 40
    if not likely.any():
        return 255.0
    return float(np.abs(windows[likely] - word).mean((-1, -2)).min())


def _green(image: Image.Image) -> Grey:
    return np.asarray(image.convert("RGB"))[..., 1].astype(np.int16)


@cache
def _drawn(words: str, bold: bool, colour: str) -> Grey:
    figure = Figure(figsize=(4, 0.5), dpi=style.DPI, facecolor=style.PAPER)
    weight = "bold" if bold else "normal"
    figure.text(0.1, 0.4, words, fontsize=style.LABEL_PT, color=colour, fontweight=weight)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page = _green(Image.open(io.BytesIO(png.encode(np.asarray(canvas.buffer_rgba())))))
    rows, columns = (np.flatnonzero((page < 250).any(axis)) for axis in (1, 0))
    return page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
