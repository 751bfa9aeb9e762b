"""What a picture shows at one moment, and the kinds of things a plot is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg

from lessons.show.series import Array, Totals, View
from lessons.show.style import Stroke


class Curve(NamedTuple):
    """One line of a plot.

    ``column`` is the View's; ``label`` may hold ``{:g}`` for the last value; ``right`` uses the axis at the right;
    ``quiet`` hides it while it is zero (or, for ``first``, equal to what arrives).
    """

    column: str
    label: str
    stroke: Stroke
    right: bool = False
    quiet: bool = False


class Mark(NamedTuple):
    """A knob that was turned, or something that was done to the system, at second ``t``; ``value`` is its new value."""

    t: float
    knob: str
    label: str
    value: Any = None


class Band(NamedTuple):
    """A stretch of time that is special."""

    start_s: float
    end_s: float
    label: str


class Ghost(NamedTuple):
    """An earlier run, drawn pale behind the present one."""

    view: View
    totals: Totals
    name: str


@dataclass(frozen=True, kw_only=True)
class LongRun:
    """What theory says of one setting.

    Attributes:
        levels: by the columns of a ``View``: ``inside`` jobs, ``p50`` and ``p95`` seconds; those that are known.
        why_not: why there are none, in few words.
        but: what theory leaves out that matters, in few words.
    """

    levels: Mapping[str, float] = field(default_factory=dict)
    why_not: str = ""
    but: str = ""

    def __str__(self) -> str:
        """The same in a sentence."""
        if self.why_not:
            return f"Theory: {self.why_not}."
        if "inside" not in self.levels:
            return ""
        but = f" ({self.but})" if self.but else ""
        p95 = f", 95 % done within {self.levels['p95']:.2f} s" if "p95" in self.levels else ""
        return f"Theory expects {self.levels['inside']:.1f} inside in the long run{p95}{but}."


class Scene(NamedTuple):
    """Everything a plot needs to draw one moment.

    ``x`` belongs to the view's bins; ``shift_s`` is what was taken off the run's seconds to get it (0, or now when the
    axis says seconds ago). ``long_run`` is what theory says of the present settings.
    """

    view: View
    totals: Totals
    x: Array
    shift_s: float
    marks: Sequence[Mark]
    over: bool = False
    long_run: LongRun = LongRun()


class Plot(Protocol):
    """One of the four.

    ``fast`` is redrawn every frame; ``slow``, mostly text, now and then; the rest is drawn once, with the axes.
    """

    @property
    def axes(self) -> Sequence[Axes]:
        """What holds it: one or two."""

    @property
    def fast(self) -> Sequence[Artist]:
        """Lines."""

    @property
    def slow(self) -> Sequence[Artist]:
        """Labels and areas."""

    def fit(self, scene: Scene) -> bool:
        """Choose limits; True when they changed and the axes have to be drawn again."""

    def update(self, scene: Scene) -> None:
        """Take over new data."""

    def arrange(self, renderer: RendererAgg, *, fresh: bool) -> None:
        """Place the labels; ``fresh`` forgets where they were."""
