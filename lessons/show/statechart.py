"""The states of a job as boxes, with the real key of each, and the way that each job took through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from lessons.show import style
from lessons.show.figures import Picture

SIZE_PX = (900, 260)
WIDTH, HEIGHT = 0.19, 0.26
PLACES = {"queued": (0.02, 0.37), "started": (0.405, 0.37), "finished": (0.79, 0.68), "failed": (0.79, 0.06)}
"""Lower left corner of each state's box, in shares of the picture."""

ARROWS = (("queued", "started"), ("started", "finished"), ("started", "failed"))
COLORS = {"finished": style.GREEN, "failed": style.VERMILLION}


class Visit(NamedTuple):
    """A job came into a state, ``t`` seconds after it was enqueued."""

    job: str
    state: str
    t: float


def states(keys: Mapping[str, str], visits: Sequence[Visit]) -> Picture:
    """The diagram.

    Args:
        keys: the Redis key of each state.
        visits: who was where, in order.
    """
    width, height = (px / style.DPI for px in SIZE_PX)
    figure = Picture(figsize=(width, height), dpi=style.DPI, facecolor=style.PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 0.86))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for state, key in keys.items():
        _box(axes, state, key)
    for begin, end in ARROWS:
        jobs = [visit for visit in visits if visit.state == end]
        _arrow(axes, begin, end, [f"{visit.job}: {visit.t:.2f} s" for visit in jobs])
    style.title(figure, "Where a job is, by RQ's own keys (seconds since it was enqueued)")
    told = ", ".join(f"{visit.job} {visit.state} at {visit.t:.2f} s" for visit in visits)
    figure.alt = f"A diagram of the states queued, started, finished and failed with their Redis keys: {told}."
    return figure


def _box(axes: Axes, state: str, key: str) -> None:
    x, y = PLACES[state]
    edge = COLORS.get(state, style.BLUE)
    box = FancyBboxPatch(
        (x, y), WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.02", fc=style.PAPER, ec=edge, lw=2
    )
    axes.add_patch(box)
    middle = x + WIDTH / 2
    axes.text(middle, y + 0.63 * HEIGHT, state, ha="center", va="center", fontsize=style.HEAD_PT, fontweight="bold",
              color=style.INK)  # fmt: skip
    axes.text(middle, y + 0.27 * HEIGHT, key, ha="center", va="center", fontsize=style.LABEL_PT, color=style.GREY,
              family="monospace")  # fmt: skip


def _arrow(axes: Axes, begin: str, end: str, said: Sequence[str]) -> None:
    (x0, y0), (x1, y1) = PLACES[begin], PLACES[end]
    start, stop = (x0 + WIDTH, y0 + HEIGHT / 2), (x1, y1 + HEIGHT / 2)
    color = COLORS.get(end, style.BLUE) if said else style.GRID
    axes.add_patch(FancyArrowPatch(start, stop, arrowstyle="-|>", mutation_scale=14, color=color, linewidth=1.8))
    rise = stop[1] - start[1]
    x, y = (start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2 + (0.06 if rise >= 0 else -0.06)
    side, stand = ("center" if rise == 0 else "right"), ("bottom" if rise >= 0 else "top")
    axes.text(x, y, "\n".join(said), ha=side, va=stand, fontsize=style.LABEL_PT, color=style.INK)
