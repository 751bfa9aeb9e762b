"""The averages of theory, twin and live run as a small table, and beside each row how far apart they are in percent.

The greys are the twin's own spread: dark on the live run's tape, with RQ's costs drawn anew; pale on other seeds.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lessons.check.gaps import WORDS, Gap, Gaps, Verdict
from lessons.show import style

ROOM = (0.022, 0.06, 0.962, 0.345)
"""Left, bottom, width and height in the figure."""
NUMBERS_AT = (0.285, 0.37, 0.455)
"""Right ends of the columns of numbers, as shares of the width."""
STRIP_AT, VERDICTS_AT = (0.5, 0.735), (0.78, 0.895)
"""Where the strip of percents begins and ends, and where the two columns of verdicts begin."""
GREYS_AT = (0.78, 0.895)
FEWEST_ROWS = 5
"""A table of fewer leaves the rest empty: rows are always about as high."""
STEPS = (10.0, 20.0, 50.0, 100.0)
"""How far the strip may reach, in percent; what is beyond has an arrow at its edge."""
LUCK, MACHINE = "#E8EAED", "#C3C8CF"
SOURCES = {"theory": style.THEORY, "twin": style.TWIN, "live": style.LIVE}


class GapTable:
    """The table of a figure.

    Args:
        figure: whose lower part it takes.
        found: what to show; only the headlines that apply.
    """

    def __init__(self, figure: Figure, found: Gaps) -> None:
        self._found, self._rows = found, found.headlines
        self._height = max(len(self._rows), FEWEST_ROWS)
        given = {"theory": found.prediction, "twin": found.twin, "live": found.live}
        self._shown = [name for name in SOURCES if given[name] is not None]
        self._base = _base(found)
        self._page = figure.add_axes(ROOM)
        self._page.set(xlim=(0, 1), ylim=(-0.5, self._height + 0.6))
        self._page.axis("off")
        self._write_heads()
        for place, gap in enumerate(self._rows):
            self._write_row(self._height - 1 - place, gap)
        if self._base:
            left, bottom, width, height = ROOM
            start, end = STRIP_AT
            self._draw_strip(figure.add_axes((left + start * width, bottom, (end - start) * width, height)))

    def _write_heads(self) -> None:
        top = self._height + 0.1
        self._say(0.0, top, "Averages", weight="bold", size=style.HEAD_PT)
        for name, right in zip(self._shown, NUMBERS_AT, strict=False):
            self._say(right, top, name, color=SOURCES[name].text, weight="bold", ha="right")
        if not self._base:
            return
        self._say(STRIP_AT[0], top, f"Gap to {self._base}, %", weight="bold", size=style.HEAD_PT)
        for (name, _), at in zip(self._verdicts(self._rows[0]), VERDICTS_AT, strict=False):
            self._say(at, top, name, color=SOURCES[name].text, weight="bold")
        greys = {LUCK: "other seeds"} if any(gap.luck for gap in self._rows) else {}
        greys |= {MACHINE: "same seed"} if any(gap.machine for gap in self._rows) else {}
        for (grey, words), at in zip(greys.items(), GREYS_AT, strict=False):
            self._page.add_patch(Rectangle((at, -1.12), 0.015, 0.5, fc=grey, lw=0, clip_on=False))
            self._say(at + 0.021, -0.88, words, color=style.GREY)

    def _write_row(self, y: float, gap: Gap) -> None:
        self._page.axhline(y + 0.5, color=style.GRID, lw=0.8)
        self._say(0.0, y, WORDS[gap.key])
        for name, right in zip(self._shown, NUMBERS_AT, strict=False):
            value = getattr(gap, name)
            bold = "bold" if name == "live" else "normal"
            said = "–" if value is None else _number(value)
            self._say(right, y, said, color=SOURCES[name].text, weight=bold, ha="right")
        for (_, words), at in zip(self._verdicts(gap), VERDICTS_AT, strict=False):
            bias = words.startswith("bias")
            colour, weight = (style.VERMILLION, "bold") if bias else (style.GREY, "normal")
            self._say(at, y, words, color=colour, weight=weight)

    def _verdicts(self, gap: Gap) -> list[tuple[str, str]]:
        """Whose, and in which words."""
        said = []
        if self._base and self._found.live is not None:
            said.append(("live", _verdict(gap.live_verdict, gap.live, gap.base)))
        if self._found.twin is not None and self._found.prediction is not None:
            said.append(("theory", _verdict(gap.theory_verdict, gap.theory, gap.mean)))
        return said

    def _draw_strip(self, axes: Axes) -> None:
        reach = self._reach()
        for place, gap in enumerate(self._rows):
            y = self._height - 1 - place
            for half, grey in ((gap.percent(gap.luck), LUCK), (gap.percent(gap.machine), MACHINE)):
                if half is not None:
                    half = min(half, reach)
                    axes.add_patch(Rectangle((-half, y - 0.32), 2 * half, 0.64, fc=grey, lw=0, zorder=1))
            theory, live = gap.above(gap.theory), gap.above(gap.live)
            if theory is not None:
                _mark(axes, theory, y, reach, color=style.THEORY.text, marker="D", ms=6, mfc=style.PAPER, mew=1.6)
            if live is not None:
                end = max(min(live, reach), -reach)
                axes.plot([0, end], [y, y], color=style.LIVE.color, lw=style.LIVE.width, zorder=3)
                _mark(axes, live, y, reach, color=style.LIVE.color, marker="o", ms=7)
        stroke = style.THEORY if self._found.twin is None else style.TWIN
        axes.plot([0, 0], [-0.5, self._height - 0.5], color=stroke.color, ls=stroke.dash, lw=stroke.width, zorder=2)
        axes.set(xlim=(-reach, reach), ylim=self._page.get_ylim(), facecolor="none", yticks=[])
        axes.set_xticks([-reach, -reach / 2, 0, reach / 2, reach])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:+g}" if value else "0")
        axes.tick_params(colors=style.GREY, labelsize=style.LABEL_PT, length=3, width=0.8)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color("#9CA3AF")

    def _reach(self) -> float:
        """How many percent the strip shows to each side."""
        ends = [
            end
            for gap in self._rows
            for end in (gap.above(gap.theory), gap.above(gap.live), gap.percent(gap.luck), gap.percent(gap.machine))
        ]
        marks = [abs(end) for end in ends if end is not None]
        return next((step for step in STEPS if step >= 1.08 * max(marks, default=0.0)), STEPS[-1])

    def _say(self, x: float, y: float, words: str, *, size: float = style.LABEL_PT, **kind: Any) -> None:
        self._page.text(x, y, words, fontsize=size, va="center", **({"color": style.INK} | kind))


def _mark(axes: Axes, at: float, y: float, reach: float, **kind: Any) -> None:
    """A point, or at the strip's edge an arrow that points to where it is."""
    if abs(at) > reach:
        kind |= {"marker": ">" if at > 0 else "<"}
        at = reach if at > 0 else -reach
    axes.plot([at], [y], ls="", zorder=4, clip_on=False, **kind)


def _base(found: Gaps) -> str:
    """What the others are measured by; "" where there is nothing to measure."""
    if found.live is None and (found.prediction is None or found.twin is None):
        return ""
    if found.twin is not None:
        return "the twin" if found.own or len(found.tapes) == 1 else "the twin's mean"
    return "theory" if found.prediction is not None else ""


def _verdict(verdict: Verdict, value: float | None, base: float | None) -> str:
    if verdict == "agrees":
        return "agrees"
    if value is None or base is None:
        return "–"
    apart = f"{100 * (value - base) / abs(base):+.0f} %" if base else f"{value - base:+.2g}"
    return f"bias {apart}" if verdict == "bias" else apart


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
