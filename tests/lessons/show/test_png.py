"""The palette PNG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from lessons.show import png, style
from lessons.show.livefig import LiveFigure
from tests.lessons.show.scenes import LIMITED, folded, look


def decoded(data: bytes) -> np.ndarray:
    """Pixels of a PNG, by a decoder that is not ours."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_a_frame_decodes_to_what_was_drawn() -> None:
    """Every pixel is near its true colour, and paper is exactly white."""
    figure = LiveFigure(look())
    pixels = decoded(figure.snapshot(folded(LIMITED)))
    figure.figure.canvas.draw()
    assert pixels.shape == (500, 900, 3)
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    true = decoded_figure(figure)
    assert np.abs(pixels - true).mean() < 2
    assert np.percentile(np.abs(pixels - true).max(-1), 99) < 40


def decoded_figure(figure: LiveFigure) -> np.ndarray:
    """The same picture in full colour, by Matplotlib's own writer."""
    buffer = io.BytesIO()
    figure.figure.savefig(buffer, format="png")
    return decoded(buffer.getvalue())


def test_the_workbooks_own_colours_are_in_the_palette() -> None:
    """A line is drawn in exactly its colour."""
    known = {tuple(colour) for colour in png.palette().tolist()}
    for colour in (style.BLUE, style.GREEN, style.VERMILLION, style.SKY, style.INK, style.PAPER):
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in known


def test_same_pixels_same_bytes() -> None:
    """Encoding is deterministic at every level."""
    pixels = np.random.default_rng(1).integers(0, 255, (60, 40, 4), np.uint8)
    for level in (1, 9):
        assert png.encode(pixels, level=level) == png.encode(pixels.copy(), level=level)
