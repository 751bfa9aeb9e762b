"""The small picture of one system: what its bars say is what the record says."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.events import Kind
from lessons.show import style, subject
from lessons.show.livefig import LiveFigure
from lessons.show.scene import Mark
from lessons.show.series import Series
from lessons.show.vitals import HEALTH, SIZE_PX, State, state, words
from tests.lessons.show.event_source import play
from tests.lessons.show.scenes import BURST, folded
from tests.lessons.show.test_png import decoded


def figure() -> LiveFigure:
    """Of the burst."""
    return LiveFigure(subject.look(BURST, question="After a spike", noun="posts", sheet=HEALTH))


def at(t: float, *marks: Mark) -> State:
    """The state of the burst at a moment."""
    series = folded(BURST)
    return state(figure().look, series.view(t), series.totals(), marks)


def test_it_is_half_as_wide_as_a_notebook_and_moves() -> None:
    """Two fit side by side; new rows move pixels in curve and bars."""
    made, series = figure(), folded(BURST)
    first, last = (decoded(made.frame(series, now)) for now in (0.5, 6.0))
    assert first.shape[:2] == SIZE_PX[::-1]
    assert 2 * SIZE_PX[0] <= style.SIZE_PX[0]
    changed = (first != last).any(-1)
    assert changed[: SIZE_PX[1] // 2].sum() > 100


def test_all_workers_live_and_are_busy_in_a_burst() -> None:
    """Three of three, a hundred per cent, no error."""
    assert at(6.0).words == ("3 of 3", "100%", "0")
    series = folded(BURST)
    said = words(figure().look, series.view(6.0), series.totals(), [])
    assert "3 of 3 workers alive, 100% busy; 0 errors" in said
    assert words(figure().look, Series().view(0.0), Series().totals(), []) == ""


def test_a_dead_worker_is_missed_and_a_new_number_of_them_is_known() -> None:
    """The bar is of those that there should be; who is missing makes it vermillion, with a hatch."""
    made, series = figure(), folded(BURST)
    well = made.snapshot(series, 6.0)
    ill = made.snapshot(series, 6.0, [Mark(1.0, "worker_died", "worker died", "w1")])
    assert at(6.0, Mark(1.0, "worker_died", "worker died", "w1")).words[0] == "2 of 3"
    red = np.array([int(style.VERMILLION[i : i + 2], 16) for i in (1, 3, 5)])

    def bars(picture: bytes) -> int:
        lower = decoded(picture)[SIZE_PX[1] * 3 // 5 :]
        return int((np.abs(lower - red).max(-1) < 40).sum())

    assert bars(well) == 0 < bars(ill)
    assert at(6.0, Mark(1.0, "workers", "c 4", 4)).words[0] == "4 of 4"


def test_busy_is_what_the_record_says() -> None:
    """Never more than there are workers, all of them in the burst, and nobody once all is done."""
    view = folded(BURST).view()
    assert view.busy.max() <= BURST.service.workers + 1e-9
    assert view.busy[(view.t > 4) & (view.t < 6)].min() > BURST.service.workers - 1e-9
    run = play(BURST).events
    worked_s = sum(run["t"][run["kind"] == Kind.ENDED]) - sum(run["t"][run["kind"] == Kind.STARTED])
    assert view.busy.sum() * (view.t[1] - view.t[0]) == pytest.approx(worked_s, rel=1e-6)


def test_busy_does_not_depend_on_how_rows_are_cut() -> None:
    """Beginning and end of a job may come in different batches."""
    events = play(BURST).events
    series = Series()
    for part in np.array_split(events, 50):
        series.feed(part)
    np.testing.assert_allclose(series.view().busy, folded(BURST).view().busy, atol=1e-9)
