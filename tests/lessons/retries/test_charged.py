"""Section d: nobody can know whether a time-out charged, and a key makes that harmless."""

from __future__ import annotations

import pytest

from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries import Lesson
from lessons.retries.charged import AFTER, BEFORE, WITH_KEY, Charged

GOOD = (Charged(BEFORE, 0, 0, 200, 1), Charged(AFTER, 0, 1, 200, 2), Charged(WITH_KEY, 0, 1, 200, 1))


def changed(number: int, **wrong: int) -> list[Charged]:
    """One purchase with a wrong figure."""
    return [one._replace(**wrong) if n == number else one for n, one in enumerate(GOOD)]  # type: ignore[arg-type]


BAD = {
    "the client heard the same": changed(1, heard=20),
    "once it had been charged": changed(0, at_first=1),
    "the second try is answered": changed(2, status=503),
    "charges twice after the other": changed(1, in_the_end=1),
    "with an Idempotency-Key": changed(2, in_the_end=2),
}


@pytest.mark.live
@pytest.mark.timeout(120)
async def test_the_line_is_really_cut(lesson: Lesson) -> None:
    """Each time anew, also when the cell is run again, and after a close."""
    retries.check_charged(await retries.buy(lesson))
    await lesson.close()
    (again,) = await retries.buy(lesson, AFTER)
    assert again == GOOD[1]


def test_true_purchases_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are compared when the notebook is tested."""
    retries.check_charged(list(GOOD))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 5
    assert not any(letter.isdigit() for letter in lines)
    assert "second try: 200   charges: 2" in str(GOOD[1])


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_charged(BAD[claim])
