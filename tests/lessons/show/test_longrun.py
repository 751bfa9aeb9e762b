"""Theory's lines behind the live picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demo_workers.records.directory import Steer
from demo_workers.scenario import Load, Scenario, Service
from demo_workers.stack import calibration
from demo_workers.stack.calibration import Calibration
from lessons.show import longrun, style
from lessons.show.livefig import LiveFigure
from lessons.show.scene import LongRun
from lessons.show.series import Series
from lessons.theory import predict
from tests.lessons.show.event_source import Model
from tests.lessons.show.reading import reads as read_in
from tests.lessons.show.scenes import BURST, look

STEADY = Scenario(load=Load(arrival_rate=42), service=Service(service_time_s=0.05))


def reads(picture: bytes, words: str) -> bool:
    """Whether these words stand in it in theory's colour."""
    return read_in(picture, words, colour=style.LONG_RUN.text)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was measured on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def measured(workers: int) -> None:
    """RQ's cost becomes known."""
    found = Calibration(overhead_before_s=0.002, overhead_after_s=0.003, stretch_s=0.001, workers=workers, jobs=90)
    calibration.remember(found, workers)


def test_the_levels_are_the_predictions() -> None:
    """Jobs inside, and the times within which half and 95 % are done; with RQ's cost, as soon as that is known."""
    without, theory = longrun.expected(STEADY), predict(STEADY)
    assert without.levels == {"inside": theory.in_system, "p50": theory.sojourn_p50_s, "p95": theory.sojourn_p95_s}
    assert without.but == longrun.WITHOUT_COST
    measured(3)
    found, theory = longrun.expected(STEADY), predict(STEADY, overhead_before_s=0.003, overhead_after_s=0.003)
    assert found.levels["inside"] == theory.in_system > without.levels["inside"]
    assert str(found) == (
        f"Theory expects {theory.in_system:.1f} inside in the long run, 95 % done within {theory.sojourn_p95_s:.2f} s."
    )


def test_the_cost_of_as_many_workers_as_were_measured_stands_for_the_others() -> None:
    """A slider that adds a worker does not make RQ free."""
    measured(3)
    more = STEADY.steered(workers=5)
    theory = predict(more, overhead_before_s=0.003, overhead_after_s=0.003)
    assert longrun.expected(more).levels["inside"] == theory.in_system


def test_what_has_no_long_run_has_no_level_but_a_reason() -> None:
    """In few words, with both rates; a rate that changes says nothing, and retries are named as left out."""
    assert longrun.expected(STEADY.steered(arrival_rate=75.0)) == LongRun(why_not="no long run, λ 75 ≥ cμ 60")
    assert longrun.expected(STEADY.steered(workers=0)) == LongRun(why_not=longrun.NONE)
    assert longrun.expected(BURST) == LongRun()
    assert str(longrun.expected(BURST)) == ""
    measured(3)
    assert longrun.expected(STEADY).but == ""
    assert longrun.expected(STEADY.steered(limit=9, attempts=3)).but == "without retries"
    lifo = longrun.expected(STEADY.steered(limit=9, admission_policy="lifo"))
    assert lifo.levels.keys() == {"inside"}  # how single stays spread is not known


def test_every_knob_that_was_turned_counts_and_nothing_else() -> None:
    """The last value of each; what was broken on purpose is no setting."""
    turned = [Steer(1.0, "limit", 5), Steer(2.0, "kill_worker", "w1"), Steer(3.0, "limit", None)]
    assert longrun.after(STEADY, turned) == STEADY
    assert longrun.after(STEADY, turned[:2]) == STEADY.steered(limit=5)


def test_the_lines_move_in_the_very_next_frame() -> None:
    """With the settings; their value can be read in the picture, and so can why there is none."""
    figure, series, model = LiveFigure(look(STEADY, open_ended=True)), Series(), Model(STEADY, open_ended=True)
    measured(3)
    series.feed(model.advance(8.0))
    for rate in (42.0, 30.0):
        expected = longrun.expected(STEADY.steered(arrival_rate=rate))
        label = f"theory, long run: {expected.levels['inside']:.3g} on average"
        assert not reads(figure.frame(series, 8.0), label)
        figure.expect(expected)
        assert reads(figure.frame(series, 8.0), label)
    figure.expect(longrun.expected(STEADY.steered(arrival_rate=75.0)))
    why = "theory: no long run, λ 75 ≥ cμ 53.6"
    assert reads(figure.frame(series, 8.0), why)
    figure.expect(LongRun())
    assert not reads(figure.frame(series, 8.0), why)


def test_a_level_far_above_does_not_squeeze_the_rest() -> None:
    """It is named at the upper edge."""
    measured(3)
    near = replace(STEADY, load=Load(arrival_rate=53.5))
    figure, series = LiveFigure(look(near, open_ended=True)), Series()
    series.feed(Model(near, open_ended=True).advance(3.0))
    figure.expect(longrun.expected(near))
    level = longrun.expected(near).levels["inside"]
    assert level > 500
    assert reads(figure.frame(series, 3.0), f"theory, long run: {level:.3g} on average, above")
