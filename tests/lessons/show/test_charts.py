"""Charts of measurements: theory pale, the twin with its range, live bold; and all of it in words."""

from __future__ import annotations

import numpy as np

from lessons.show import charts, style
from lessons.show.figures import png


def test_a_chart_shows_and_says_its_layers() -> None:
    """Few points are told one by one; of many, the first and the last."""
    x = np.linspace(0.1, 0.9, 50)
    layers = [
        charts.curve("theory", x, x / (1 - x)),
        charts.spread("twin", {0.5: [0.9, 1.1], 0.8: [3.0, 5.0]}),
        charts.measured("live", {0.5: [1.2]}),
        charts.same_tape("the same tape", {0.5: [1.1]}),
        charts.dots("a post", [0.3, 0.4], [1, 2]),
        charts.path("one tape", [0.3, 0.4], [1, 2]),
    ]
    figure = charts.chart("A finding", layers, x="ρ", y="wait")
    assert figure.alt.startswith("A finding. Theory: 0.111 at 0.1, 9 at 0.9. Twin: 1 at 0.5, 4 at 0.8.")
    assert "Live: 1.2 at 0.5." in figure.alt
    assert png(figure).startswith(b"\x89PNG")


def test_no_point_lies_outside() -> None:
    """The axis is as high as the highest range."""
    figure = charts.chart("x", [charts.spread("twin", {1: [1.0, 40.0]})], x="x", y="y")
    assert figure.axes[0].get_ylim()[1] >= 40


def test_places_with_names_are_told_by_them() -> None:
    """Who cannot see the axis hears what is written there."""
    layer = charts.measured("here", {0: [2.0], 1: [100.0]})
    figure = charts.chart("x", [layer], x="", y="ns", ticks={0: "cache", 1: "memory"})
    assert figure.alt == "x. Here: 2 at cache, 100 at memory."


def test_logarithmic_axes() -> None:
    """Powers of ten are equally far apart."""
    layer = charts.measured("here", {1: [1.0], 1000: [100.0]}, joined=True)
    ticks = {1.0: "1 ns", 1000.0: "1 µs"}
    figure = charts.chart("x", [layer], x="MB", y="ns", log_x=True, log_y=True, y_ticks=ticks)
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in axes.get_yticklabels()] == list(ticks.values())


def test_lines_of_one_chart_can_be_told_apart() -> None:
    """By their strokes and markers; points without a line have none."""
    joined = charts.line("inline", [1, 2], [1, 2], style.LIVE, "D")
    single = charts.line("users", [1, 2], [1, 2], style.P95, "o", joined=False)
    assert {one.look[key] for key in ("color", "marker") for one in (joined, single)} == {
        style.LIVE.color,
        style.P95.color,
        "D",
        "o",
    }
    assert (joined.look["ls"], single.look["ls"]) == (style.LIVE.dash, "")
