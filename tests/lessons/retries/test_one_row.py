"""Many writers, one row: no backoff needs the most calls, in the model and on a real Redis."""

from __future__ import annotations

import pytest

from lessons import retries
from lessons.check.claims import ClaimError
from lessons.contention import Contention, Findings, Played
from lessons.retries import Lesson
from lessons.retries.one_row import Raced


def found(calls: int, finish: float) -> Findings:
    """What one seed gave."""
    return Findings(setting=Contention(), played=[Played(calls, finish)])


MODEL = {
    "none": found(400, 100.0),
    "exponential": found(300, 9000.0),
    "full": found(150, 300.0),
    "equal": found(160, 400.0),
    "decorrelated": found(170, 350.0),
}
REAL = {"none": Raced(300, 0.1, 24, 24), "full": Raced(100, 0.3, 24, 24)}
BAD = {
    "the most calls, and jitter the fewest": (MODEL | {"equal": found(350, 400.0)}, REAL),
    "no backoff is done first": (MODEL | {"full": found(150, 90.0)}, REAL),
    "on a real Redis": (MODEL, REAL | {"full": Raced(290, 0.3, 24, 24)}),
    "exactly once": (MODEL, REAL | {"full": Raced(100, 0.3, 23, 24)}),
}


def test_true_races_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are compared when the notebook is tested."""
    retries.check_race(MODEL, REAL)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_race(*BAD[claim])


@pytest.mark.live
@pytest.mark.timeout(120)
async def test_the_notebooks_race(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's seeds and a real Redis, which keeps nothing of it."""
    before = await _keys(lesson)
    modelled, raced = retries.model(), await retries.race(lesson)
    retries.check_race(modelled, raced)
    retries.show_race(modelled, raced)
    assert "WATCH and MULTI, 24 clients" in capsys.readouterr().out
    assert await _keys(lesson) == before


async def _keys(lesson: Lesson) -> list[bytes]:
    return sorted(await lesson.stack.connection.keys("*:row:*"))
