"""Static figures of runs that are over, made by the same drawing code as the live ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lessons.show import style, subject, text
from lessons.show.captions import Captions, segment
from lessons.show.livefig import LiveFigure
from lessons.show.png import encode
from lessons.show.subject import Recorded

FATE_BIN_S = 0.5
FATES_PX = (900, 360)


class Picture(Figure):
    """A figure that shows itself in a notebook, says in words what it shows, and is in no pyplot registry."""

    alt: str = ""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # no numbers in the text: stored notebooks are compared by it
        return {"image/png": png(self), "text/plain": "Picture"}, {"image/png": {"alt": self.alt}}


def png(figure: Figure) -> bytes:
    """A figure's PNG, small enough to be stored in a notebook."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return encode(np.asarray(canvas.buffer_rgba()), level=9)


def compare(before: Recorded, after: Recorded, *, title: str | None = None, noun: str = "requests") -> Picture:
    """Four plots of a run with the run before as a ghost.

    Args:
        before: the ghost.
        after: the run that is drawn bold.
        title: default is the finding, computed from both.
        noun: what comes and goes, in the plural.
    """
    labels = text.names(before.scenario, after.scenario)
    earlier, series = subject.ghost(before, labels[0]), subject.fold(after)
    look = subject.look(after.scenario, earlier=earlier, noun=noun, name=labels[1])
    figure = LiveFigure(look, make=Picture)
    figure.retitle(title or text.comparison(earlier.totals, series.totals(), noun=noun))
    figure.still(series, subject.marks(after.steering))
    picture = figure.figure
    assert isinstance(picture, Picture)
    picture.alt = text.compare(subject.fold(before), series, labels, noun=noun)
    return picture


def goodput_two(run_without: Recorded, run_with: Recorded, *, noun: str = "requests") -> Picture:
    """Answers in time per second of two runs under the same load with a spike."""
    labels = text.names(run_without.scenario, run_with.scenario)
    width, height = (px / style.DPI for px in FATES_PX)
    figure = Picture(figsize=(width, height), dpi=style.DPI, facecolor=style.PAPER)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.045, 0.125, 0.94, 0.655))
    style.dress(axes, f"{noun.capitalize()} answered in time, per second")
    duration = run_with.scenario.load.duration_s
    axes.set_xlim(0, duration)
    axes.set_xlabel("seconds", fontsize=style.LABEL_PT, color=style.GREY)

    captions, ends, top = Captions(axes), [], 1.0
    captions.begin(fresh=True)
    bands = subject.bands(run_with.scenario.load)
    after = (bands[-1].end_s if bands else 0.5 * duration) + 2.0
    tail = max(min(duration - after, 5.0), 1.0)
    strokes = (style.Stroke(style.VERMILLION, (0, (4, 1.6)), 2.6), style.Stroke(style.GREEN, "-", 2.6))
    for run, label, stroke in zip((run_without, run_with), labels, strokes, strict=True):
        view = subject.fold(run, bin_s=FATE_BIN_S).view(smooth=1)
        shown = view.t < duration
        (line,) = axes.plot(
            view.t[shown], view.in_time[shown], color=stroke.color, ls=stroke.dash, lw=stroke.width, zorder=3
        )
        rate = float(np.mean(view.in_time[(view.t >= duration - tail) & shown]))
        captions.name(label, f"{label}: {rate:.0f} per second at the end", line, stroke.text)
        ends.append(rate)
        top = max(top, float(np.max(view.in_time[shown], initial=0)))
    axes.set_ylim(-0.02 * top, style.nice(1.2 * top))
    for band in bands:
        axes.axvspan(band.start_s, band.end_s, color=style.BAND, lw=0, zorder=0)
        edge = segment(axes, band.start_s, band.end_s, axes.get_ylim()[1])
        captions.name("band", "spike", edge, style.WAITING.text, solid=False, bold=False)
    canvas.draw()
    captions.place(canvas.get_renderer())
    found = f"{ends[0]:.0f} {noun} a second in time with {labels[0]}, {ends[1]:.0f} with {labels[1]}"
    style.title(figure, f"Two fates after one spike: {found}")
    for artist in captions.texts:
        artist.set_animated(False)
    figure.alt = text.fates(ends[0], ends[1], labels, tail, noun=noun)
    return figure
