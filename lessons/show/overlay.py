"""Theory, twin and live run over each other: theory pale and dotted, the twin thin, the live run bold.

    theory = predict_or_reason(scenario)
    live = await stack.run(scenario)
    overlay(theory, *twins_of(live, overheads=spent), *redrawn_twins(live, spent), live)

shows how many jobs were inside over time, how long they stayed, and the averages with their gaps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from demo_workers.errors import LabError, ScenarioError, UnstableQueue
from demo_workers.records.run import Run
from lessons.check.gaps import WORDS, Gap, Gaps, gaps
from lessons.show import style, subject, traces
from lessons.show.captions import Captions, segment
from lessons.show.figures import Picture
from lessons.show.gaptable import LUCK, GapTable
from lessons.show.traces import Array
from lessons.theory.prediction import Prediction

BINS = 90
"""Points of a curve over time."""
POINTS = 240
"""Points of a curve of shares."""
CLOUD = 5
"""Fewer twins than this are no band."""
PAINT = {"theory": 2, "live": 3, "twin": 4}
"""What lies over what: the thin line over the bold one."""
LEFT, RIGHT = (0.052, 0.53, 0.432, 0.31), (0.552, 0.53, 0.425, 0.31)


def overlay(theory: Prediction | LabError | None = None, *runs: Run, title: str | None = None) -> Picture:
    """One figure of any mix of a prediction, twins and a live run.

    Args:
        theory: what ``predict`` said, or the error with which it refused, whose reason is then shown; None leaves it
            out.
        runs: at most one live run (or a replay of one), and any number of twins. The twin with the live run's seed is
            drawn as its twin; all of them together give the grey band: what another seed alone would change.
        title: default is the finding, computed from all of them.

    Raises:
        LabError: more than one live run, or nothing at all.
    """
    return draw(gaps(theory, *runs), title=title)


def draw(found: Gaps, *, title: str | None = None) -> Picture:
    """The figure of gaps that are known already; as ``overlay``."""
    width, height = (px / style.DPI for px in style.SIZE_PX)
    figure = Picture(figsize=(width, height), dpi=style.DPI, facecolor=style.PAPER)
    canvas = FigureCanvasAgg(figure)
    plots = [_over_time(figure.add_axes(LEFT), found), _shares(figure.add_axes(RIGHT), found)]
    GapTable(figure, found)
    canvas.draw()
    for captions in plots:
        captions.place(canvas.get_renderer())
        for artist in captions.texts:
            artist.set_animated(False)
    style.title(figure, title or found.finding or _what(found))
    figure.alt = alt(found)
    return figure


def alt(found: Gaps) -> str:
    """All of the figure in words."""
    rows = "; ".join(filter(None, map(_row, found.headlines)))
    model = "" if found.prediction is None else f"The formula is that of {found.prediction.model}, for the long run. "
    reason = f"No formula: {found.reason} " if found.reason else ""
    finding = f"{found.finding}. " if found.finding else ""
    return f"{finding}{model}{reason}{rows}."


def few_words(reason: LabError) -> str:
    """Why no formula applies, short enough for a plot."""
    if isinstance(reason, UnstableQueue):
        return "no long run: more comes than can be done"
    changes = isinstance(reason, ScenarioError) and reason.name == "load.kind"
    return "no formula: the rate changes" if changes else "no formula fits"


def _row(gap: Gap) -> str:
    said = [f"{name} {value:.3g}" for name in ("theory", "twin", "live") if (value := getattr(gap, name)) is not None]
    spread = "" if gap.luck is None else f" (other seeds ± {gap.luck.one_more:.2g})"
    verdict = f", {gap}" if str(gap) else ""
    return f"{WORDS[gap.key]}: {', '.join(said)}{spread}{verdict}"


def _what(found: Gaps) -> str:
    """The title of a figure that compares nothing."""
    run = found.live or found.twin
    if run is None:
        return f"{found.prediction.model} in the long run" if found.prediction else "No formula fits"
    return f"{run.length_s:g} seconds {'in the twin' if run.source == 'twin' else 'live'}"


class _Layers:
    """Curves of one axes over each other, in the order of paint: the twins' band, theory, live, twin.

    Args:
        axes: where to draw.
        x: what all of them are drawn over.

    Attributes:
        captions: their names.
        top: the highest point.
        edge: the band's lower edge, for its name.
    """

    def __init__(self, axes: Axes, x: Array) -> None:
        self.axes, self.captions, self.top = axes, Captions(axes), 0.0
        self._x = x
        self.edge: Line2D | None = None
        self.captions.begin(fresh=True)

    def runs(self, found: Gaps, curve: Callable[[Run], Array]) -> None:
        """Draw a curve of each run that there is."""
        if len(found.tapes) >= CLOUD:
            low, high = traces.band(found.tapes, curve)
            self.axes.fill_between(self._x, low, high, color=LUCK, lw=0, zorder=1)
            self.edge = Line2D(self._x, low, transform=self.axes.transData)
            self.top = float(np.nanmax(high, initial=0.0))
        for name, run, stroke in (("live", found.live, style.LIVE), ("twin", found.twin, style.TWIN)):
            if run is not None:
                self.line(name, curve(run), stroke)

    def line(self, name: str, y: Array, stroke: style.Stroke, *, label: str = "") -> None:
        """Draw one and name it."""
        line = Line2D(self._x, y, color=stroke.color, ls=stroke.dash, lw=stroke.width, zorder=PAINT[name])
        self.axes.add_line(line)
        self.captions.name(name, label or name, line, stroke.text)
        self.top = max(self.top, float(np.nanmax(y, initial=0.0)))


def _over_time(axes: Axes, found: Gaps) -> Captions:
    """Jobs in the system, second by second."""
    style.dress(axes, "Jobs in the system")
    shown = [run for run in (found.live, *found.tapes) if run is not None]
    length_s = max((run.length_s for run in shown), default=1.0)
    edges = np.linspace(0.0, length_s, BINS + 1)
    layers = _Layers(axes, (edges[1:] + edges[:-1]) / 2)
    layers.runs(found, lambda run: traces.inside(run, edges))
    if found.prediction is not None:
        level = np.full(BINS, found.prediction.in_system)
        layers.line("theory", level, style.THEORY, label=f"theory, long run: {found.prediction.in_system:.3g}")
    limit = _limit(found)
    if limit is not None:
        axes.axhline(limit, color=style.LIMIT.color, ls=style.LIMIT.dash, lw=style.LIMIT.width, zorder=2)
        layers.captions.name("limit", f"limit {limit}", segment(axes, 0.0, length_s, limit), style.LIMIT.text)
    top = style.nice(1.15 * max(layers.top, limit or 0))
    axes.set(xlim=(0, length_s), ylim=(-0.02 * top, top))
    if isinstance(found.theory, LabError):
        corner = segment(axes, 0.0, length_s, 0.9 * top)
        layers.captions.name("reason", few_words(found.theory), corner, style.THEORY.text, solid=False)
    for band in subject.bands(shown[0].scenario.load) if shown else ():
        axes.axvspan(band.start_s, band.end_s, color=style.BAND, lw=0, zorder=0)
    if not shown:
        axes.set_xticks([])
    axes.set_xlabel("seconds" if shown else "at any time", fontsize=style.LABEL_PT, color=style.GREY, labelpad=2)
    return layers.captions


def _shares(axes: Axes, found: Gaps) -> Captions:
    """How many of the jobs were done within how long."""
    style.dress(axes, "Share of jobs done within so many seconds")
    sojourn = found.prediction.sojourn if found.prediction else None
    shown = [run for run in (found.live, *found.tapes) if run is not None]
    ends = [traces.longest_s(run) for run in shown] + ([] if sojourn is None else [sojourn.quantile(0.99)])
    times_s = np.linspace(0.0, style.nice(max(ends, default=1.0)), POINTS)
    layers = _Layers(axes, times_s)
    layers.runs(found, lambda run: traces.share_done(run, times_s))
    if sojourn is not None:
        layers.line("theory", np.array([sojourn.within(float(t)) for t in times_s]), style.THEORY)
    if layers.edge is not None:
        layers.captions.name("seeds", "twin, other seeds", layers.edge, style.GREY, solid=False, bold=False)
    axes.set(xlim=(0, times_s[-1]), ylim=(-0.02, 1.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return layers.captions


def _limit(found: Gaps) -> int | None:
    """The limit in force all the time, if there is one."""
    for run in (found.live, *found.tapes):
        if run is not None and not any(entry.knob == "limit" for entry in run.steering):
            return run.scenario.admission.limit
    return None
