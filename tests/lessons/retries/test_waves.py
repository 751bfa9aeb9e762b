"""Section a: with a fixed delay a crowd stays a crowd, and jitter parts it; each claim can fail."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from demo_workers.records.run import Run
from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries import Lesson
from lessons.retries.waves import asked_s, loudest, per_bar, picture, silent
from tests.lessons.retries.paper import PAPER, played, unbalanced

TAPES = 20
FIRST = random.randrange(10**6)


def test_it_is_so_on_any_tape() -> None:
    """Twenty of them in the twin."""
    for seed in range(FIRST, FIRST + TAPES):
        retries.check_waves(played(seed))


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.timeout(120)
async def test_it_is_so_on_real_workers(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """As in the notebook; the runs that were kept are those that the arena gets, else it has its own."""
    runs = await retries.same_crowd(lesson)
    retries.check_waves(runs)
    assert await retries.same_crowd(lesson) == runs
    retries.show_waves(runs)
    twins = retries.twins(lesson, runs)
    retries.check_live_arena(runs, twins)
    assert "✗" not in capsys.readouterr().out


def roomy() -> dict[str, Run]:
    """Places for all: nobody is refused."""
    return {
        policy: PAPER.simulate(run.scenario.replace("admission.limit", 200)) for policy, run in played().items()
    }  # fmt: skip


def with_one(policy: str, other: str) -> dict[str, Run]:
    """One run in the place of another."""
    runs = played()
    return runs | {policy: runs[other]}


BAD: dict[str, Callable[[], dict[str, Run]]] = {
    "most of the crowd": roomy,
    "nearly as close together": lambda: with_one("fixed", "full"),
    "nobody asks": lambda: with_one("fixed", "full"),
    "fewer and not lower": lambda: with_one("exponential", "fixed"),
    "jitter flattens": lambda: with_one("full", "fixed"),
    "fills the silence": lambda: with_one("full", "exponential"),
    "the books": lambda: played() | {"full": unbalanced(played()["full"])},
}


def test_true_runs_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are compared when the notebook is tested."""
    retries.check_waves(played())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 7
    assert not any(letter.isdigit() for letter in lines.replace("503", ""))


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By runs of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_waves(BAD[claim]())


def test_the_loudest_moment_is_the_fullest_window() -> None:
    """Wherever it begins; of nothing it is nothing."""
    assert loudest(np.array([0.0, 0.1, 0.11, 0.12, 0.149, 0.2])) == 4
    assert loudest(np.array([])) == 0


def test_the_bars_hold_every_attempt() -> None:
    """One tenth of a second each; the crowd comes in the second one, and again in the fifth."""
    run = played()["fixed"]
    bars = per_bar(run)
    assert len(bars) == 13
    assert bars.sum() == len(asked_s(run))
    assert sorted(np.argsort(bars)[-2:]) == [1, 4]
    assert retries.waves(run)[1] == "█"


def test_a_run_without_retries_is_silent() -> None:
    """From its first to its last moment."""
    run = PAPER.simulate(played()["fixed"].scenario.replace("retry.policy", "none"))
    assert silent(run) > 0.9


def test_the_picture_says_what_it_shows() -> None:
    """The reader's sketch is over the first row; the words name each policy and its highest bars."""
    figure = picture(played(), drawn=[0.0, 1.0] * 6)
    assert "Always after 0.3 s: " in figure.alt
    assert "at 0.1 s" in figure.alt
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["your sketch"]
    assert picture(played()).axes[0].get_legend() is None
