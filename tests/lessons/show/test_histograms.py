"""Rows of bars on one scale."""

from __future__ import annotations

from lessons.show.histograms import Row, histograms


def test_all_rows_have_one_scale() -> None:
    """So that heights can be compared; the last row has the seconds."""
    figure = histograms("Two", [Row("high", [0, 100, 0, 100]), Row("low", [5, 5, 5])], bin_s=0.1)
    high, low = figure.axes
    assert high.get_ylim() == low.get_ylim()
    assert high.get_xlim() == low.get_xlim() == (0, 0.4)
    assert low.get_xlabel() == "seconds"


def test_the_words_name_the_highest_bars() -> None:
    """For whoever cannot see them."""
    figure = histograms("Two", [Row("high", [0, 100, 0, 90, 10]), Row("none", [0, 0])], bin_s=0.1)
    assert figure.alt == "Two. High: 100 at 0.1 s, 90 at 0.3 s. None: none."


def test_a_sketch_is_as_high_as_the_first_row() -> None:
    """Its heights are shares of the highest bar."""
    figure = histograms("One", [Row("only", [0, 80])], bin_s=0.1, drawn=[0.5, 1.0])
    (patch,) = [patch for patch in figure.axes[0].patches if patch.get_label() == "your sketch"]
    assert patch.get_data().values.tolist() == [40.0, 80.0]  # type: ignore[attr-defined]  # a StepPatch
