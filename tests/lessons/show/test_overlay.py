"""Theory, twin and live run in one figure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from demo_workers.errors import LabError
from demo_workers.records.run import Run
from lessons.show import style
from lessons.show.figures import png
from lessons.show.overlay import overlay
from lessons.theory import Prediction
from tests.lessons.compared import BURST, CALM, CLOSED, DEAR, FULL, GROWING, live, theory, twins
from tests.lessons.show.test_png import decoded

Mix = tuple[Prediction | LabError | None, list[Run]]

IDLE = CALM.steered(workers=0)
MIXES: dict[str, Callable[[], Mix]] = {
    "overload": lambda: (theory(FULL), [*twins(FULL), live(FULL)]),
    "calm": lambda: (theory(CALM), [*twins(CALM), live(CALM)]),
    "bias": lambda: (theory(CALM), [*twins(CALM), live(CALM, DEAR)]),
    "closed loop": lambda: (theory(CLOSED), [*twins(CLOSED), live(CLOSED)]),
    "unstable": lambda: (theory(GROWING), [*twins(GROWING), live(GROWING)]),
    "a rate that changes": lambda: (theory(BURST), [*twins(BURST), live(BURST)]),
    "one twin": lambda: (theory(FULL), [*twins(FULL, same=1, others=0), live(FULL)]),
    "no live run": lambda: (theory(CALM), twins(CALM)),
    "only a twin": lambda: (None, twins(CALM, same=1, others=0)),
    "only theory": lambda: (theory(CALM), []),
    "only a reason": lambda: (theory(GROWING), []),
    "only live": lambda: (None, [live(CALM)]),
    "no twin": lambda: (theory(CALM), [live(CALM)]),
    "nobody served": lambda: (theory(IDLE), [*twins(IDLE), live(IDLE)]),
    "nobody came": lambda: (theory(FULL.steered(arrival_rate=0)), [live(FULL.steered(arrival_rate=0))]),
}


def words(figure: Figure) -> list[Text]:
    """All that can be read in a figure; a tick beyond the end of its axis cannot."""
    hidden: set[Text] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            pairs = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            hidden |= {label for at, label in pairs if not (axes.axison and low <= at <= high)}
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in found if text not in hidden]


def crossings(figure: Figure) -> list[str]:
    """Words that leave the figure, and pairs of words that cover each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = {text: text.get_window_extent(renderer) for text in words(figure)}
    page = figure.bbox
    out = [t.get_text() for t, b in boxes.items() if b.x0 < 0 or b.y0 < 0 or b.x1 > page.x1 or b.y1 > page.y1]
    pairs = [(a, b) for a, b in combinations(boxes, 2) if boxes[a].padded(-1).overlaps(boxes[b].padded(-1))]
    return out + [f"{a.get_text()} × {b.get_text()}" for a, b in pairs]


@pytest.mark.parametrize("name", MIXES)
def test_any_mix_makes_a_figure_in_which_nothing_covers_anything(name: str) -> None:
    """As large as the other figures, with words for who cannot see it."""
    prediction, runs = MIXES[name]()
    picture = overlay(prediction, *runs)
    assert crossings(picture) == []
    assert decoded(png(picture)).shape == (500, 900, 3)
    assert len(picture.alt) > 40


def test_words_that_cover_each_other_are_seen_by_the_test() -> None:
    """The check above can fail."""
    figure = Figure(figsize=(9, 5), dpi=style.DPI)
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two")
    figure.text(0.99, 0.1, "beyond the edge")
    assert crossings(figure) == ["beyond the edge", "one × two"]


def lines(figure: Figure, colour: str) -> list[float]:
    """Widths of the curves of one colour in the plot over time."""
    return [line.get_linewidth() for line in figure.axes[0].lines if line.get_color() == colour]


def test_live_is_bold_the_twin_thin_and_theory_level() -> None:
    """Each once, whatever order they came in; the long run is a level line at the formula's mean."""
    prediction, some = theory(CALM), [*twins(CALM), live(CALM)]
    for runs in (some, some[::-1]):
        picture = overlay(prediction, *runs)
        (bold,), (thin,) = lines(picture, style.LIVE.color), lines(picture, style.TWIN.color)
        assert bold > 1.5 * thin
        (level,) = [line for line in picture.axes[0].lines if line.get_color() == style.THEORY.color]
        assert isinstance(prediction, Prediction)
        assert set(np.asarray(level.get_ydata()).tolist()) == {prediction.in_system}
        assert any("long run" in text.get_text() for text in words(picture))


def test_the_title_is_the_finding_unless_one_is_given() -> None:
    """A bias is in the title and in the table; the alt text has all of it."""
    runs = [*twins(CALM), live(CALM, DEAR)]
    picture = overlay(theory(CALM), *runs)
    read = [text.get_text() for text in words(picture)]
    assert any(said.startswith("Bias: live is ") for said in read)
    assert any(said.startswith("bias +") for said in read)
    assert "bias: live is" in picture.alt
    assert "M/M/3" in picture.alt
    assert "Mine" in [text.get_text() for text in words(overlay(theory(CALM), *runs, title="Mine"))]


REASONS = {"no long run: more comes than can be done": GROWING, "no formula: the rate changes": BURST}


@pytest.mark.parametrize("said", REASONS)
def test_a_missing_theory_says_why(said: str) -> None:
    """In few words in the plot, in full in the alt text."""
    scenario = REASONS[said]
    picture = overlay(theory(scenario), *twins(scenario, same=1, others=0), live(scenario))
    assert said in [text.get_text() for text in words(picture)]
    assert "must be" in picture.alt
    assert lines(picture, style.THEORY.color) == []


def test_the_same_runs_make_the_same_picture() -> None:
    """Byte for byte."""
    prediction, runs = theory(CALM), [*twins(CALM), live(CALM)]
    assert png(overlay(prediction, *runs)) == png(overlay(prediction, *runs))
