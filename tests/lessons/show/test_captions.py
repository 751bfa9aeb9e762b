"""Names in a real plot: what is inked of one does not cover another."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from lessons.show import style
from lessons.show.captions import Captions, segment

NAMES = ("limit 100", "inside", "theory, long run: 98.6 on average", "patience 1 s")


def inked(canvas: FigureCanvasAgg, text: Text) -> np.ndarray:
    """Which pixels a text alone covers."""
    renderer = canvas.get_renderer()
    renderer.clear()
    text.draw(renderer)
    return np.asarray(canvas.buffer_rgba())[..., 3] > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_no_name_is_written_over_another(seed: int) -> None:
    """Lines at nearly the same height: names without descenders stand higher in their line than others do."""
    draw = random.Random(seed)
    figure = Figure(figsize=(4, 2), dpi=style.DPI)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1), ylim=(0, 150))
    captions = Captions(axes)
    captions.begin(fresh=True)
    near = draw.uniform(40, 110)
    for name in draw.sample(NAMES, len(NAMES)):
        captions.name(name, name, segment(axes, 0, 1, near + draw.uniform(-4, 4)), "black")
    captions.place(canvas.get_renderer())
    shown = [inked(canvas, text) for text in captions.texts if text.get_visible()]
    assert len(shown) > 1
    assert np.sum(shown, axis=0).max() == 1
