"""The live figure."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lessons.show import subject, text
from lessons.show.livefig import LiveFigure
from lessons.show.scene import Mark
from lessons.show.series import Series
from tests.lessons.show.event_source import Model, play
from tests.lessons.show.reading import reads
from tests.lessons.show.scenes import BURST, LIMITED, RETRYING, folded, look
from tests.lessons.show.test_png import decoded


def film(open_ended: bool) -> list[bytes]:
    """Frames of a live run, three a second."""
    figure, series, model = LiveFigure(look(open_ended=open_ended)), Series(limit=20), Model(LIMITED)
    frames = []
    for third in range(1, 25):
        series.feed(model.advance(third / 3))
        frames.append(figure.frame(series, third / 3, [Mark(2.0, "limit", "K 20")] if third > 6 else []))
    return frames


def test_same_data_same_bytes() -> None:
    """The same calls give the same film, byte by byte, on both kinds of time axis."""
    for open_ended in (False, True):
        assert film(open_ended) == film(open_ended)


def test_the_picture_changes_when_the_data_do() -> None:
    """New rows move pixels in all four plots."""
    first, last = (decoded(frame) for frame in (film(True)[4], film(True)[-1]))
    changed = (first != last).any(-1)
    for plot in (changed[50:250, :450], changed[50:250, 450:], changed[250:, :450], changed[250:, 450:]):
        assert plot.sum() > 100


def test_a_frame_and_a_snapshot_look_the_same() -> None:
    """What is kept is what was seen, apart from where labels stand."""
    figure, series = LiveFigure(look()), folded(LIMITED)
    live, kept = (decoded(picture) for picture in (figure.frame(series, 20.0), figure.snapshot(series)))
    assert (np.abs(live - kept).max(-1) > 60).mean() < 0.03


def test_a_snapshot_does_not_depend_on_what_was_drawn_before() -> None:
    """A figure that has shown a film keeps the same picture as a new one."""
    used, series, model = LiveFigure(look()), Series(limit=20), Model(LIMITED)
    for second in range(1, 140):
        series.feed(model.advance(float(second)))
        used.frame(series, min(second, 20.0))
    series.over = True
    assert used.snapshot(series) == LiveFigure(look()).snapshot(folded(LIMITED))


@pytest.mark.parametrize("open_ended", [False, True])
@pytest.mark.parametrize("seed", [3, 4])
def test_a_knob_just_turned_is_named_in_the_very_next_frame(seed: int, open_ended: bool) -> None:
    """However many were turned before it; the value itself can be read in the pixels. The lines leave room for it."""
    scenario = BURST.replace("load.kind", "uniform").replace("seed", seed)
    figure, series = LiveFigure(look(scenario, open_ended=open_ended)), Series()
    model, marks = Model(scenario), list[Mark]()
    for turned in range(8):
        now, name = 3.0 + 1.6 * turned, f"λ {46 + turned}"
        series.feed(model.advance(now))
        assert not reads(figure.frame(series, now, marks), name)
        marks.append(Mark(now - 0.02, "arrival_rate", name))
        assert reads(figure.frame(series, now, marks), name)


def test_a_policy_just_swapped_is_named_in_the_very_next_frame() -> None:
    """The reader's own and the queue's; that of retries too, though no plot here is about them."""
    scenario = LIMITED.replace("load.kind", "uniform")  # no band behind the words
    figure, series, model = LiveFigure(look(scenario)), Series(), Model(scenario)
    marks = list[Mark]()
    for n, (knob, value) in enumerate([("next_try", "patient"), ("admission_policy", "lifo"), ("admit", "door")]):
        now = 3.0 + 2 * n
        series.feed(model.advance(now))
        mark = text.mark(now - 0.02, knob, value)
        assert not reads(figure.frame(series, now, marks), mark.label)
        marks.append(mark)
        assert reads(figure.frame(series, now, marks), mark.label)


def test_a_title_that_is_too_long_becomes_smaller() -> None:
    """A long question stays on the card."""
    figure = LiveFigure(look())
    figure.retitle("Refusing a hundred and fifty-five posts served five hundred and twenty-two more posts in time")
    assert (decoded(figure.snapshot(folded(LIMITED)))[:45, 892:] == 255).all()


def test_a_ghost_is_paler_than_the_living() -> None:
    """The earlier run changes the picture, but is nowhere as dark as the present one."""
    ghost = subject.ghost(play(BURST), "no limit")
    series = folded(LIMITED)
    plain, haunted = (decoded(LiveFigure(look(earlier=g)).snapshot(series)) for g in (None, ghost))
    assert (plain != haunted).any(-1).sum() > 2000


def test_retries_have_their_own_fourth_plot() -> None:
    """Counts and tries for each stand on two axes of one plot."""
    pictures = [
        decoded(LiveFigure(look(RETRYING, fourth=fourth)).snapshot(folded(RETRYING)))
        for fourth in ("served", "retries")
    ]
    assert (pictures[0][250:, 450:] != pictures[1][250:, 450:]).any(-1).sum() > 1000
    assert (pictures[0][:230] == pictures[1][:230]).all()


def test_no_pyplot() -> None:
    """Nothing is registered in pyplot, so nothing leaks and no backend state is touched."""
    code = "import sys, lessons.show.panel, lessons.show.figures; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
