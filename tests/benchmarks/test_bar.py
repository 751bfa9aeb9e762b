"""Figures and their bars, and the one way in which every benchmark answers."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks._bar import Figure, Unavailable, main, ratios


def test_a_figure_is_judged_by_its_median() -> None:
    """One bad round does not miss a bar, and one good round does not meet it."""
    assert Figure.of("cost", [0.1, 0.1, 9.0], at_most=0.1).met
    assert Figure.of("speed", [0.5, 0.5, 9.0], at_least=1).met is False
    assert Figure.of("cost", [0.1, 0.2, 0.2], at_most=0.1).met is False


def test_a_round_that_gave_nothing_misses_every_bar() -> None:
    """NaN is not met, however good the other rounds were."""
    for bar in ({"at_least": 0.0}, {"at_most": 1e9}):
        assert Figure.of("speed", [1.0, math.nan, 1.0], **bar).met is False


def test_a_figure_without_a_bar_judges_nothing() -> None:
    """It is reported."""
    figure = Figure.of("memory", [3.0], unit="MB")
    assert figure.met is None
    assert figure.verdict == "reported"


def test_too_few_rounds_are_told() -> None:
    """The same verdict, with a word of warning, until there are five."""
    assert Figure.of("speed", [2.0] * 4, at_least=1).verdict == "met (short)"
    assert Figure.of("speed", [2.0] * 5, at_least=1).verdict == "met"
    assert Figure.of("speed", [0.2] * 5, at_least=1).verdict == "MISSED"


def test_a_share_counts_how_often_something_held() -> None:
    """Nineteen of twenty meet a bar of 0.95, eighteen do not."""
    for held, met in ((19, True), (18, False)):
        figure = Figure.share("sign", [True] * held + [False] * (20 - held), at_least=0.95)
        assert figure.measured == held / 20
        assert figure.met is met


def test_no_rounds_is_an_error() -> None:
    """A figure of nothing cannot be made."""
    with pytest.raises(ValueError, match="at least one round"):
        Figure.of("speed", [])


def test_sides_take_turns_in_going_first() -> None:
    """Each round measures both, and who went first goes second in the next."""
    order: list[str] = []

    def side(name: str, value: float) -> float:
        order.append(name)
        return value

    found = ratios(3, ours=lambda: side("ours", 1.0), theirs=lambda: side("theirs", 4.0))
    assert found == [0.25] * 3
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


@pytest.mark.parametrize(("value", "code"), [(2.0, 0), (0.5, 1)])
def test_the_answer_is_one_line_and_an_exit_code(value: float, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Rounds come from the command line; a missed bar is a 1."""
    options = ["--rounds", "3", "--json"]
    assert main("", lambda o: [Figure.of("speed", [value] * o.rounds, at_least=1)], arguments=options) == code
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["figures"][0]["rounds"] == 3


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark without its peer is skipped with the reason, and is a failure where CI=true."""

    def measure(options: object) -> list[Figure]:
        raise Unavailable("no peer here: install it")

    monkeypatch.delenv("CI", raising=False)
    assert main("", measure, arguments=[]) == 0
    assert "no peer here" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert main("", measure, arguments=[]) == 1
