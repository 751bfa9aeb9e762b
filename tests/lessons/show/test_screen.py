"""The picture and its sentence."""

from __future__ import annotations

from lessons.show import text
from lessons.show.screen import Screen
from lessons.show.series import Series
from lessons.show.surface import ImageSurface
from tests.lessons.show.event_source import Model
from tests.lessons.show.scenes import LIMITED, look


def test_the_sentence_comes_now_and_then_and_at_once_when_a_knob_was_turned() -> None:
    """Not with every picture: whoever reads it, or hears it, must be able to end it."""
    screen, series, model = Screen(ImageSurface(), look()), Series(), Model(LIMITED)
    swap, marks, said = text.mark(2.0, "next_try", "patient"), [], []
    for tenth in range(30):  # all within a second of the reader's, or a little more beside other work
        now = 1.0 + tenth / 10
        series.feed(model.advance(now))
        if tenth == 15:
            marks = [swap]
        screen.draw(series, now, marks)
        said.append(screen.sentence)
    turned = [text.turned([swap]) in sentence for sentence in said]
    assert turned == [n >= 15 for n in range(30)]
    assert len(set(said)) < 10
