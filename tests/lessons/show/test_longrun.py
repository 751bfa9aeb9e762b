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


def test_the_levels_are_the_predictions() -> None:
    """Jobs inside, and the times within which half and 95 % are done."""
    found, theory = longrun.expected(STEADY), predict(STEADY)
    assert found.levels == {"inside": theory.in_system, "p50": theory.sojourn_p50_s, "p95": theory.sojourn_p95_s}
    assert str(found) == (
        f"Theory expects {theory.in_system:.1f} inside in the long run, 95 % done within {theory.sojourn_p95_s:.2f} s."
    )


def test_what_rq_costs_here_is_part_of_it_where_it_is_known() -> None:
    """As soon as it has been measured."""
    before = longrun.expected(STEADY)
    calibration.remember(Calibration(overhead_before_s=0.002, overhead_after_s=0.004, workers=3, jobs=90), 3)
    after, theory = longrun.expected(STEADY), predict(STEADY, overhead_before_s=0.002, overhead_after_s=0.004)
    assert after.levels["inside"] == theory.in_system > before.levels["inside"]
    assert longrun.expected(STEADY.steered(workers=4)) == longrun.expected(STEADY.steered(workers=4))


def test_what_has_no_long_run_has_no_level_but_a_reason() -> None:
    """In few words, with both rates; a rate that changes says nothing, and retries are named as left out."""
    assert longrun.expected(STEADY.steered(arrival_rate=75.0)) == LongRun(why_not="no long run, λ 75 ≥ cμ 60")
    assert longrun.expected(STEADY.steered(workers=0)) == LongRun(why_not=longrun.NONE)
    assert longrun.expected(BURST) == LongRun()
    assert str(longrun.expected(BURST)) == ""
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
    series.feed(model.advance(8.0))
    for rate in (42.0, 30.0):
        expected = longrun.expected(STEADY.steered(arrival_rate=rate))
        label = f"theory, long run: {expected.levels['inside']:.3g} on average"
        assert not reads(figure.frame(series, 8.0), label)
        figure.expect(expected)
        assert reads(figure.frame(series, 8.0), label)
    figure.expect(longrun.expected(STEADY.steered(arrival_rate=75.0)))
    assert reads(figure.frame(series, 8.0), "theory: no long run, λ 75 ≥ cμ 60")
    figure.expect(LongRun())
    other = LiveFigure(look(STEADY, open_ended=True))
    assert figure.snapshot(series, 8.0) == other.snapshot(series, 8.0)


def test_a_level_far_above_does_not_squeeze_the_rest() -> None:
    """It is named at the upper edge."""
    near = replace(STEADY, load=Load(arrival_rate=59.9))
    figure, series = LiveFigure(look(near, open_ended=True)), Series()
    series.feed(Model(near, open_ended=True).advance(3.0))
    figure.expect(longrun.expected(near))
    level = longrun.expected(near).levels["inside"]
    assert level > 500
    assert reads(figure.frame(series, 3.0), f"theory, long run: {level:.3g} on average, above")
