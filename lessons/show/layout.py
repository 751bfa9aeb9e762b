"""The four plots: what they show, where they stand, what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lessons.show import style
from lessons.show.barplot import BarPlot
from lessons.show.scene import Band, Curve, Ghost, Mark, Plot
from lessons.show.series import Totals, View
from lessons.show.timeplot import Stage, TimePlot

Fourth = Literal["served", "retries"]

RATES = (
    Curve("first", "new", style.FIRST, quiet=True),
    Curve("arriving", "arriving", style.ARRIVALS),
    Curve("refused", "503", style.REFUSED, quiet=True),
    Curve("in_time", "answered in time", style.IN_TIME),
)
INSIDE = (Curve("inside", "inside", style.INSIDE), Curve("limit", "limit {:g}", style.LIMIT))
LATENCY = (Curve("p50", "half", style.MEDIAN), Curve("p95", "95 %", style.P95))
RETRIES = (
    Curve("amplification", "tries for each", style.AMPLIFICATION, right=True),
    Curve("retrying", "trying again", style.WAITING),
)
RETRYING = frozenset(
    {"retry_policy", "attempts", "base_s", "cap_s", "honour_retry_after", "after_timeout", "next_try"}
    | {"idempotency_key"}
    | {"budget_ratio", "budget_floor_per_s", "breaker_failures", "breaker_open_s"}
    | {"throttle_k", "throttle_window_s", "bucket_tokens", "bucket_ratio"}
)
KNOBS = {
    "rates": RETRYING
    | frozenset(
        {"arrival_rate", "think_time_s", "urgent_share", "client_rate", "client_burst", "worker_died"}
        | {"kill_worker", "kill_horse", "freeze_worker", "thaw_worker", "fill_memory", "free_memory"}
        | {"kill_gateway", "kill_redis", "power_cut"}
    ),
    "inside": frozenset({"limit", "workers", "admission_policy", "admit", "gradient_tolerance"}),
    "latency": frozenset(
        {"service_time_s", "timeout_s", "deadline_s", "propagate_deadline", "codel_target_s", "codel_interval_s"}
        | {"slow_network"}
    ),
    "retries": RETRYING,
}
"""Which plot names which knob; in the order of the plots. The first one names those of retries where no other does."""


class Sheet(NamedTuple):
    """How a figure is divided into plots, for a picture that is not the usual four.

    Attributes:
        size_px: width and height in CSS pixels.
        plots: makes them on an empty figure.
        cell: the rectangle (x0, y0, x1, y1 in pixels) of a plot, by its number and the figure's width and height.
        knobs: for each plot, the knobs that it names.
        levelled: numbers of the plots that have theory's lines.
        words: says the state of now, for who does not see the picture; None takes the usual sentence.
    """

    size_px: tuple[int, int]
    plots: Callable[[Figure, Look], list[Plot]]
    cell: Callable[[int, float, float], tuple[float, float, float, float]]
    knobs: Sequence[frozenset[str]]
    levelled: frozenset[int] = frozenset()
    words: Callable[[Look, View, Totals, Sequence[Mark]], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a figure is about.

    Attributes:
        question: its title until the finding is known.
        duration_s: length of the run, which is the time axis; None for an open end.
        window_s: seconds shown of a run with an open end.
        fourth: what the fourth plot is.
        ghost: an earlier run to compare with; only for a run of fixed length.
        name: of the present run, beside the ghost's.
        patience_s: how long clients wait, None for ever.
        bands: special stretches of time.
        expect: least upper limits: "rate" per second, "inside" jobs, "requests" in all.
        noun: what comes and goes, in the plural.
        workers: how many there are at the start.
        arrival_rate: what comes outside the bands, per second.
        sheet: which plots there are, if not the usual four.
    """

    question: str = ""
    duration_s: float | None = None
    window_s: float = 60.0
    fourth: Fourth = "served"
    ghost: Ghost | None = None
    name: str = ""
    patience_s: float | None = None
    bands: Sequence[Band] = ()
    expect: Mapping[str, float] = field(default_factory=dict)
    noun: str = "requests"
    workers: int = 0
    arrival_rate: float = 0.0
    sheet: Sheet | None = None

    @property
    def scrolling(self) -> bool:
        """Whether the time axis says seconds ago."""
        return self.duration_s is None

    @property
    def span(self) -> tuple[float, float]:
        """Limits of the time axis."""
        return (-self.window_s, 0.0) if self.duration_s is None else (0.0, self.duration_s)


def four(figure: Figure, look: Look) -> list[Plot]:
    """Make the plots on an empty figure, in reading order."""
    noun, ghost = look.noun.capitalize(), None if look.scrolling else look.ghost

    def stage(at: int, knobs: str) -> Stage:
        margin = 0.045 if at == 3 else 0.016  # room for the axis at the right
        axes = _axes(figure, at, margin)
        time_axis(axes, look, named=at >= 2)
        named = KNOBS[knobs] - RETRYING if knobs == "rates" and look.fourth == "retries" else KNOBS[knobs]
        return Stage(axes, look.span, look.scrolling, look.bands, named)

    rate, inside = look.expect.get("rate", 1.0), look.expect.get("inside", 1.0)
    patience = (look.patience_s, f"patience {look.patience_s:g} s", style.PATIENCE) if look.patience_s else None
    in_time, p95 = (f"{what}, {ghost.name}" if ghost else "" for what in ("in time", "95 %"))
    plots: list[Plot] = [
        TimePlot(
            stage(0, "rates"), f"{noun} per second", RATES, expect=rate, names_bands=True,
            ghost=ghost, ghost_column="in_time", ghost_label=in_time,
        ),
        TimePlot(
            stage(1, "inside"), f"{noun} in the system", INSIDE, expect=inside, ghost=ghost, ghost_column="inside",
            levels={"inside": "theory, {why}: {:.3g} on average"},
        ),
        TimePlot(
            stage(2, "latency"), "Seconds until done", LATENCY, expect=0.1, constant=patience,
            ghost=ghost, ghost_column="p95", ghost_label=p95, levels={"p95": "theory, 95 %", "p50": "theory, half"},
        ),
    ]  # fmt: skip
    if look.fourth == "retries":
        title = f"{noun} trying again, and tries for each"
        plots.append(TimePlot(stage(3, "retries"), title, RETRIES, expect=5.0, ghost=ghost, ghost_column="retrying"))
    else:
        axes = _axes(figure, 3, 0.016)
        plots.append(
            BarPlot(axes, "Who was served in time", look.name, ghost=ghost, expect=look.expect.get("requests", 10))
        )
    return plots


def cell(at: int, width: float, height: float) -> tuple[float, float, float, float]:
    """The rectangle (x0, y0, x1, y1 in pixels) that belongs to a plot; the four and the title strip tile the figure."""
    top, middle, half = round(0.905 * height), round(0.475 * height), round(width / 2)
    x0, x1 = (0, half) if at % 2 == 0 else (half, round(width))
    return (x0, middle, x1, top) if at < 2 else (x0, 0, x1, middle)


def _axes(figure: Figure, at: int, margin: float) -> Axes:
    x0 = 0.5 * (at % 2) + 0.052
    x1 = 0.5 * (at % 2) + 0.5 - margin
    y0, y1 = (0.53, 0.84) if at < 2 else (0.105, 0.41)
    return figure.add_axes((x0, y0, x1 - x0, y1 - y0))


def time_axis(axes: Axes, look: Look, *, named: bool) -> None:
    """Ticks of the seconds of a run, or of seconds ago; ``named`` says what they are."""
    if look.scrolling:
        ticks = [-look.window_s * k / 4 for k in range(5)]
        axes.set_xticks(ticks, [f"{-t:g} s ago" if t else "now" for t in ticks])
        return
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    if named:
        axes.set_xlabel("seconds", fontsize=style.LABEL_PT, color=style.GREY, labelpad=2)


FOUR = Sheet(style.SIZE_PX, four, cell, tuple(KNOBS.values()), levelled=frozenset({1, 2}))
"""The usual four."""
