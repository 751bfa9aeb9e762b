"""Who was served: one bar of people per run, the earlier run above. Hatching says it as well as colour."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from lessons.show import style
from lessons.show.scene import Ghost, Scene
from lessons.show.series import Totals

WORDS = {"in_time": "in time", "late": "late", "refused": "refused", "gave_up": "gave up", "failed": "failed"}
HEIGHT = 0.5


class _Bar:
    """The stacked fates of one run, and their numbers."""

    def __init__(self, axes: Axes, row: float, name: str, *, pale: bool = False) -> None:
        self._axes, alpha = axes, 0.5 if pale else 1.0
        self._areas = {
            name: Rectangle(
                (0, row - HEIGHT / 2),
                0,
                HEIGHT,
                fc=f.face,
                hatch=f.hatch,
                ec=f.edge,
                lw=0.8,
                alpha=alpha,
                animated=True,
            )
            for name, f in style.FATES.items()
        }
        kind = {"fontsize": style.LABEL_PT, "fontweight": "bold", "va": "center", "ha": "center", "animated": True}
        self._numbers: dict[str, Text] = {}
        for key, fate in style.FATES.items():
            number = axes.text(0, row, "", color=style.INK if pale else fate.text, **kind)  # type: ignore[arg-type]
            if fate.hatch:  # hatching must not cross a number
                number.set_bbox({"fc": style.PAPER if fate.text == style.INK else fate.face, "ec": "none", "pad": 1.5})
            self._numbers[key] = number
        axes.text(
            0, row + HEIGHT / 2 + 0.06, name, color=style.GREY if pale else style.INK,
            fontsize=style.LABEL_PT, fontweight="bold",
        )  # fmt: skip
        self._rest = axes.text(
            0,
            row - HEIGHT / 2 - 0.05,
            "",
            color=style.INK,
            fontsize=style.LABEL_PT,
            va="top",
            ha="right",
            animated=True,
        )
        for area in self._areas.values():
            axes.add_patch(area)

    @property
    def artists(self) -> list[Artist]:
        return [*self._areas.values(), *self._numbers.values(), self._rest]

    def show(self, totals: Totals) -> None:
        at = 0
        for name, area in self._areas.items():
            count = getattr(totals, name)
            area.set(x=at, width=count, visible=count > 0)
            at += count

    def write(self, totals: Totals, renderer: RendererAgg) -> None:
        """Numbers go into their areas; those too wide for theirs go below the bar."""
        per_pixel = self._axes.transData.inverted().transform([(0, 0), (1, 0)])
        unit = float(per_pixel[1][0] - per_pixel[0][0])
        at, rest = 0, []
        for name, number in self._numbers.items():
            count = getattr(totals, name)
            label = f"{count:,} {WORDS[name]}"
            width = renderer.get_text_width_height_descent(label, number.get_fontproperties(), False)[0] + 10
            fits = count > 0 and width * unit <= count
            number.set(text=label, x=at + count / 2, visible=fits)
            if count and not fits:
                rest.append(label)
            at += count
        self._rest.set(text=" · ".join(rest), visible=bool(rest))
        width = renderer.get_text_width_height_descent(self._rest.get_text(), self._rest.get_fontproperties(), False)[0]
        self._rest.set_x(max(at, width * unit))


class BarPlot:
    """The fates of requests as stacked bars.

    Args:
        axes: where to draw.
        title: with the unit.
        name: of the present run.
        ghost: the earlier run, if there is one.
        expect: requests expected in the whole run; the axis' least upper limit.
    """

    def __init__(self, axes: Axes, title: str, name: str, *, ghost: Ghost | None = None, expect: float = 10) -> None:
        self._axes = axes
        style.dress(axes, title)
        self._bar = _Bar(axes, 0.0, name)
        self._ghost = (_Bar(axes, 1.15, ghost.name, pale=True), ghost.totals) if ghost else None
        axes.set_yticks([])
        axes.set_ylim(-0.62, 1.85 if ghost else 0.8)
        axes.spines["left"].set_visible(False)
        self._expect = max(expect, ghost.totals.requests if ghost else 0)
        self._top, self._totals = 0.0, Totals()

    @property
    def axes(self) -> Sequence[Axes]:
        """The only axes."""
        return [self._axes]

    @property
    def fast(self) -> Sequence[Artist]:
        """Nothing: counts need not be redrawn ten times a second."""
        return []

    @property
    def slow(self) -> Sequence[Artist]:
        """Bars and numbers."""
        return [*(self._ghost[0].artists if self._ghost else ()), *self._bar.artists]

    def fit(self, scene: Scene) -> bool:
        """Room for everyone who came or is expected; see ``Plot``."""
        came = float(max(scene.totals.requests, self._ghost[1].requests if self._ghost else 0))
        if came > self._top or scene.over:
            wanted = came if scene.over and came else max(self._expect, style.nice(came))
            if wanted == self._top:
                return False
            self._top = wanted
            self._axes.set_xlim(0, wanted)
            return True
        return False

    def update(self, scene: Scene) -> None:
        """Take over the counts."""
        self._totals = scene.totals

    def arrange(self, renderer: RendererAgg, *, fresh: bool) -> None:
        """Lengths and numbers."""
        self._bar.show(self._totals)
        self._bar.write(self._totals, renderer)
        if self._ghost:
            bar, totals = self._ghost
            bar.show(totals)
            bar.write(totals, renderer)
