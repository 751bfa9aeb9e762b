"""Things that happen to several jobs, one lane each, on one time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lessons.show import style
from lessons.show.figures import Picture

WIDTH_PX, LANE_PX, FRAME_PX = 900, 46, 120

LOOKS = {
    "begun": ("o", style.BLUE, 8, "begun by a worker"),
    "harmed": ("X", style.VERMILLION, 9, "trouble"),
    "noticed": ("|", style.INK, 24, "noticed by RQ"),
    "thawed": ("^", style.ORANGE, 8, "goes on"),
    "sent": ("*", style.GREEN, 13, "sent"),
}
"""Of each kind of event: marker, colour, size in points, and its words."""

BELOW = {"thawed": 0.3}
"""What would lie on others of the same moment is drawn so much lower."""


class Event(NamedTuple):
    """Something happened in a lane at second ``t``; ``kind`` is one of the ``looks``."""

    lane: str
    kind: str
    t: float


class Span(NamedTuple):
    """From ``start`` to ``end`` (seconds) it was so as ``words`` say, with the length behind them; "" says nothing."""

    lane: str
    start: float
    end: float
    words: str = "unnoticed for"


def lanes(
    title: str,
    names: Sequence[str],
    events: Sequence[Event],
    unknown: Sequence[Span],
    looks: Mapping[str, tuple[str, str, int, str]] = LOOKS,
) -> Picture:
    """The picture.

    Args:
        title: the finding.
        names: the lanes, from the top.
        events: what happened, in any order.
        unknown: drawn as a band, with its length.
        looks: of each kind of event, as in ``LOOKS``.
    """
    height_px = FRAME_PX + LANE_PX * len(names)
    figure = Picture(figsize=(WIDTH_PX / style.DPI, height_px / style.DPI), dpi=style.DPI, facecolor=style.PAPER)
    axes = figure.add_axes((0.19, 75 / height_px, 0.79, LANE_PX * len(names) / height_px))
    style.dress(axes, "")
    rows = {name: len(names) - 1 - row for row, name in enumerate(names)}
    for span in unknown:
        y = rows[span.lane]
        axes.barh(y, span.end - span.start, left=span.start, height=0.5, color=style.BAND, zorder=1)
        if span.words and span.end - span.start > 0.5:
            axes.text((span.start + span.end) / 2, y, f"{span.words} {span.end - span.start:.1f} s", ha="center",
                      va="center", fontsize=style.LABEL_PT, color=style.INK)  # fmt: skip
    for kind, (marker, color, size, words) in looks.items():
        points = [(event.t, rows[event.lane] - BELOW.get(kind, 0)) for event in events if event.kind == kind]
        if points:
            look: dict[str, Any] = {
                "marker": marker,
                "color": color,
                "ms": size,
                "mew": 2.5 if marker == "|" else 1,
                "label": words,
            }
            axes.plot(*zip(*points, strict=True), ls="", zorder=3, **look)
    axes.set_yticks(list(rows.values()), list(rows), fontsize=style.LABEL_PT, color=style.INK)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds", fontsize=style.LABEL_PT, color=style.GREY, loc="right")
    figure.legend(loc="lower left", ncols=len(looks), fontsize=style.LABEL_PT, frameon=False, bbox_to_anchor=(0.01, 0),
                  markerscale=0.8)  # fmt: skip
    style.title(figure, title)
    told = (f"{event.lane}: {looks[event.kind][3]} at {event.t:.1f} s" for event in sorted(events, key=lambda e: e.t))
    figure.alt = f"{title}. {'; '.join(told)}."
    return figure
