"""A sketch is a row of bars; untouched, it is no prediction."""

from __future__ import annotations

import ipywidgets as w
import pytest

from lessons.check import predictions, sketch

PLACES = ("0", "1", "2", "3")


def bars(name: str = "waves", fixed: tuple[int, ...] = ()) -> list[w.IntSlider]:
    """The sliders of a question that is asked now."""
    known = set(w.widgets.widget._instances)
    sketch.draw(name, "How many?", PLACES, fixed=fixed)
    new = [widget for key, widget in w.widgets.widget._instances.items() if key not in known]
    return [widget for widget in new if isinstance(widget, w.IntSlider)]


def test_an_untouched_sketch_is_no_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a line nor heights."""
    bars()
    assert sketch.drawn("waves") is None
    predictions.reveal("waves", "▁█▁█")
    assert "You said: not predicted. It was: ▁█▁█." in capsys.readouterr().out


def test_a_sketch_is_shown_beside_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    """As a line of bars, also in the review; the heights are there for a picture."""
    given, _, moved, last = bars(fixed=(0,))
    assert given.disabled
    assert not moved.disabled
    moved.value = sketch.TOP
    last.value = sketch.TOP // 2
    assert sketch.drawn("waves") == [0.0, 0.0, 1.0, 0.5]
    predictions.reveal("waves", "▁█▁█")
    assert "You said: ▁▁█▅." in capsys.readouterr().out
    predictions.review()
    assert "How many?\n  you: ▁▁█▅\n  it was: ▁█▁█" in capsys.readouterr().out


def test_asking_again_clears_it() -> None:
    """Running the cell again starts anew."""
    bars()[1].value = 3
    assert sketch.drawn("waves") is not None
    bars()
    assert sketch.drawn("waves") is None


def test_each_bar_says_the_question_and_its_place() -> None:
    """A screen reader reads bars one by one."""
    assert [bar.tooltip for bar in bars()] == [f"How many? {place}" for place in PLACES]


def test_a_line_reaches_from_the_lowest_to_the_highest_sign() -> None:
    """Whatever the scale; of nothing it is flat."""
    assert sketch.line([0, 50, 100]) == "▁▅█"
    assert sketch.line([0.0, 0.0]) == "▁▁"
    assert sketch.line([]) == ""
