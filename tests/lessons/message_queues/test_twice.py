"""Section c: one like, killed or slow, with a ledger and without; each check can fail."""

from __future__ import annotations

import pytest

from lessons import message_queues
from lessons.check.claims import ClaimError
from lessons.message_queues import Lesson, check_once, check_twice
from lessons.message_queues.twice import AT_MOST, KILLED, LEDGER_KILLED, LEDGER_SLOW, SLOW, Liked


@pytest.mark.live
@pytest.mark.faults
async def test_a_dead_consumer_and_a_slow_one_look_the_same(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Two likes each; the stored line is the same in every run."""
    likes = await message_queues.send_a_like(lesson, KILLED, SLOW)
    capsys.readouterr()
    check_twice(likes)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert str(likes[0]) == "killed after the effect   sent 1   delivered 2   likes 2"


@pytest.mark.live
@pytest.mark.faults
async def test_a_ledger_makes_two_deliveries_one_effect(lesson: Lesson) -> None:
    """After a death and after slowness; and acknowledged first, the like is lost."""
    check_once(await message_queues.send_a_like(lesson, AT_MOST, LEDGER_KILLED, LEDGER_SLOW))


TWO = [Liked(KILLED, 2, 2, 0), Liked(SLOW, 2, 2, 0)]
ONCE = [Liked(AT_MOST, 1, 0, 0), Liked(LEDGER_KILLED, 2, 1, 0), Liked(LEDGER_SLOW, 2, 1, 0)]

BAD_TWO = {
    "delivered twice": Liked(SLOW, 1, 2, 0),
    "counts two likes": Liked(SLOW, 2, 1, 0),
    "nothing is left": Liked(SLOW, 2, 2, 1),
}
BAD_ONCE = {
    "the like is lost": Liked(AT_MOST, 1, 1, 0),
    "delivered twice all the same": Liked(LEDGER_SLOW, 1, 1, 0),
    "it counted once": Liked(LEDGER_KILLED, 2, 2, 0),
}


def test_true_likes_pass() -> None:
    """As they are on an idle machine."""
    check_twice(TWO)
    check_once(ONCE)


@pytest.mark.parametrize("claim", BAD_TWO)
def test_each_claim_about_two_likes_can_fail(claim: str) -> None:
    """By one number that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_twice([TWO[0], BAD_TWO[claim]])


@pytest.mark.parametrize("claim", BAD_ONCE)
def test_each_claim_about_the_ledger_can_fail(claim: str) -> None:
    """By one number that is wrong."""
    bad = BAD_ONCE[claim]
    with pytest.raises(ClaimError, match=claim):
        check_once([bad if one.case == bad.case else one for one in ONCE])
