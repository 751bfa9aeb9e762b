"""The flow view as a still picture: the same boxes with their counts, for where no browser plays it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from lessons.show import style
from lessons.show.flow.board import Counts
from lessons.show.flow.stage import HEAD_PX, NOTE_PX, NUMBER_PX, QUEUE_X, Box, Plan, Stage, limit_words, plan
from lessons.show.flow.words import labels
from lessons.show.png import encode

HEAD_Y, NUMBER_Y, NOTE_Y, FOOT_Y, LINE_PX = 18, 42, 60, 226, 18
"""Where text stands, in pixels from the top; as in ``paint.js``."""
_PT = 72 / style.DPI


def png(stage: Stage, counts: Counts) -> bytes:
    """The picture, small enough to be stored in a notebook."""
    laid = plan(stage)
    width, height = laid.size
    figure = Figure(figsize=(width / style.DPI, height / style.DPI), dpi=style.DPI, facecolor=style.PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    _stations(axes, laid, counts)
    _text(axes, laid, stage, counts)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return encode(np.asarray(canvas.buffer_rgba()), level=9)


def _stations(axes: Axes, laid: Plan, n: Counts) -> None:
    for x, y in laid.seats:
        axes.plot(x, y, "o", ms=9 * _PT * 1.4, mfc=style.PAPER, mec=style.GREY, mew=1.0)
    _box(axes, laid.door, style.GREY, style.GREY)
    side = laid.slot_px - 2
    for at, (x, y) in enumerate(laid.slots):
        taken, kept = at * laid.per_slot < n.in_queue, laid.wall and at >= len(laid.slots) - n.at_work / laid.per_slot
        corner, face = (x - side / 2, y - side / 2), style.SKY if taken else style.PAPER
        hatch = "////" if kept and not taken else None
        axes.add_patch(Rectangle(corner, side, side, fc=face, ec="#9CA3AF", lw=0.8, hatch=hatch))
    if laid.wall is not None:
        _box(axes, laid.wall, style.INK, style.INK)
    for at, box in enumerate(laid.boxes):
        _box(axes, box, style.SKY if at < n.at_work else style.PAPER, style.INK)
    _box(axes, laid.out, style.PAPER, style.GREEN)


def _box(axes: Axes, box: Box, face: str, edge: str) -> None:
    shape = "round,pad=0,rounding_size=3"
    axes.add_patch(FancyBboxPatch((box.x, box.y), box.w, box.h, boxstyle=shape, fc=face, ec=edge, lw=1.2))


def _text(axes: Axes, laid: Plan, stage: Stage, n: Counts) -> None:
    said = labels(n, stage)
    colours = (style.INK, style.VERMILLION, style.INK, style.INK, style.GREEN)
    for (x, head), (number, note), colour in zip(laid.heads, said.heads, colours, strict=True):
        for y, words, size, ink, weight in (
            (HEAD_Y, head, HEAD_PX, style.INK, "bold"),
            (NUMBER_Y, number, NUMBER_PX, style.GREY if number == "0" else colour, "bold"),
            (NOTE_Y, note, NOTE_PX, style.GREY, "normal"),
        ):
            kind: dict[str, Any] = {
                "fontsize": size * _PT,
                "color": ink,
                "fontweight": weight,
                "ha": "center",
                "va": "center",
            }
            axes.text(x, y, words, **kind)
    first = laid.out.y + laid.out.h / 2 - LINE_PX * (len(said.ends) - 1) / 2
    for at, line in enumerate(said.ends):
        x = laid.out.x + laid.out.w / 2
        axes.text(x, first + at * LINE_PX, line, fontsize=NOTE_PX * _PT, color=style.INK, ha="center", va="center")
    if laid.wall is not None:
        x, ink = QUEUE_X[1], style.INK
        axes.text(x, FOOT_Y, limit_words(stage), fontsize=NOTE_PX * _PT, color=ink, ha="right", va="center")
