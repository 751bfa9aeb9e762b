"""A rendered picture as a PNG of a fixed 64-colour palette: half the bytes and half the time of a plain one.

The palette is made of the workbook's own colours in several strengths on white, so that antialiased edges, pale
ghosts and hatches come out right. Nothing is random: same pixels, same bytes.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lessons.show import style

Pixels = NDArray[np.uint8]
STRIP = 50
"""Rows converted at a time: what fits into the processor's cache."""


@cache
def palette() -> Pixels:
    """The 64 colours, shape (64, 3)."""
    paper = np.full(3, 255.0)
    hues = (style.BLUE, style.SKY, style.GREEN, style.VERMILLION, style.ORANGE, style.PURPLE)
    colours = [paper, _rgb(style.BAND), _rgb(style.GRID)]
    for hue in hues:
        colours += [paper + share * (_rgb(hue) - paper) for share in (1.0, 0.8, 0.62, 0.45, 0.3, 0.2, 0.1)]
    colours += [paper + share * (_rgb(style.INK) - paper) for share in np.linspace(1.0, 0.1, 14)]
    colours += [_rgb(style.MEDIAN.text), _rgb(style.WAITING.text), _rgb(style.AMPLIFICATION.text)]
    colours += [0.5 * (_rgb(style.BAND) + _rgb(hue)) for hue in (style.BLUE, style.VERMILLION)]
    assert len(colours) == 64
    return np.round(np.array(colours)).astype(np.uint8)


@cache
def _table() -> Pixels:
    """Nearest palette entry for every colour of 5 bits a channel, red lowest."""
    steps = np.minimum(np.arange(32) * 255 / 31, 255)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    cells = np.stack([red, green, blue], -1).reshape(-1, 1, 3)
    # the eye sees differences in green best, in blue least
    weights = np.array([3.0, 4.0, 2.0])
    distance = (weights * (cells - palette().astype(float)) ** 2).sum(-1)
    return np.asarray(distance.argmin(-1), np.uint8)


def encode(rgba: Pixels, *, level: int = 1) -> bytes:
    """The PNG of an opaque picture.

    Args:
        rgba: shape (height, width, 4), as Agg gives it.
        level: zlib's; 1 for frames, 9 for what is stored.
    """
    height, width = rgba.shape[:2]
    words, table = rgba.view("<u4")[..., 0], _table()
    rows = np.zeros((height, width + 1), np.uint8)  # the first byte of a row says: no filter
    for top in range(0, height, STRIP):
        strip = words[top : top + STRIP]
        index = (strip >> 3) & 0x1F
        index |= (strip >> 6) & 0x3E0
        index |= (strip >> 9) & 0x7C00
        table.take(index, out=rows[top : top + STRIP, 1:], mode="clip")
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette().tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.data, level)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
