"""The reader sketches a curve as a row of bars before the run; an untouched sketch is no prediction."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as w

from lessons.check import predictions
from lessons.show.view import show_widget

TOP = 8
"""Steps of a bar: as many as there are signs for it in a line of text."""
SIGNS = "▁▂▃▄▅▆▇█"
_drawn: dict[str, list[float]] = {}


def draw(name: str, question: str, places: Sequence[str], *, fixed: Sequence[int] = ()) -> None:
    """Show a question with a row of bars to pull up; running the cell again clears them.

    Each bar is a slider: Tab goes to the next one, the arrow keys move it.

    Args:
        name: the prediction's key.
        question: what the bars stand for, one or two short sentences.
        places: what is written below each bar.
        fixed: the first bars, given and not to be moved, in steps of ``TOP``.
    """
    predictions.put(name, question)
    _drawn.pop(name, None)
    bars = [_bar(question, place, fixed[n] if n < len(fixed) else None) for n, place in enumerate(places)]

    def moved(change: object) -> None:
        heights = [bar.value / TOP for bar in bars]
        _drawn[name] = heights
        predictions.commit(name, line(heights))

    for bar in bars:
        bar.observe(moved, names="value")
    narrow = w.Layout(width="3.2em", align_items="center")
    columns = [w.VBox([bar, w.Label(place)], layout=narrow) for bar, place in zip(bars, places, strict=True)]
    row = w.HBox(columns, layout=w.Layout(flex_flow="row wrap"))
    show_widget(w.VBox([w.HTML(f"<b>{question}</b>"), row]), f"{question} [a sketch of {len(bars)} bars]")


def drawn(name: str) -> list[float] | None:
    """Heights of the bars, 0 to 1, or None where nothing was drawn."""
    return _drawn.get(name)


def line(heights: Sequence[float]) -> str:
    """Heights as a line of text, the highest as high as a line can be."""
    top = max([*heights, 0.0]) or 1.0
    return "".join(SIGNS[min(int(height / top * TOP), TOP - 1)] for height in heights)


def _bar(question: str, place: str, given: int | None) -> w.IntSlider:
    return w.IntSlider(
        value=given or 0,
        max=TOP,
        orientation="vertical",
        readout=False,
        disabled=given is not None,
        tooltip=f"{question} {place}",
        layout=w.Layout(height="8em"),
    )
