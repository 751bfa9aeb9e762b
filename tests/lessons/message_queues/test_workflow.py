"""Section a: four moments of a post, and an optimistic one that is taken back; each check can fail."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import message_queues
from lessons.check.claims import ClaimError
from lessons.message_queues import Lesson, check_moments, check_undone
from lessons.message_queues.optimistic import Undone
from lessons.message_queues.workflow import INLINE, QUEUED, Compared, Moments, show_moments

NAN = float("nan")


@pytest.mark.live
@pytest.mark.timed
async def test_a_post_has_four_moments(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """As the notebook draws and says them; the checked lines hold no measured number."""
    seen = await message_queues.follow_posts(lesson)
    show_moments(seen)
    capsys.readouterr()
    check_moments(seen)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert QUEUED in str(seen)


@pytest.mark.live
async def test_an_optimistic_post_is_taken_back(lesson: Lesson) -> None:
    """Twice, for the first time must leave no damaged timeline."""
    for _ in range(2):
        seen = await message_queues.post_and_fail(lesson)
        check_undone(seen)
        assert "taken back" in str(seen)


INLINE_POST = Moments(INLINE, 0.6, NAN, NAN, 0.003, 0.6, 300, 300)
QUEUED_POST = Moments(QUEUED, 0.01, 0.012, 0.62, 0.014, 0.61, 300, 300)
GOOD = Compared(INLINE_POST, QUEUED_POST, [0.003, 0.004], [0.008, 0.006])

BAD = {
    "was told when the last": GOOD._replace(inline=INLINE_POST._replace(told=0.2)),
    "less than a fifth": GOOD._replace(queued=QUEUED_POST._replace(told=0.3)),
    "signalled last": GOOD._replace(queued=QUEUED_POST._replace(signalled=0.011)),
    "every follower got": GOOD._replace(queued=QUEUED_POST._replace(reached=299)),
    "before a worker had taken it": GOOD._replace(queued=QUEUED_POST._replace(first=0.009)),
    "followers gained nothing": GOOD._replace(queued=QUEUED_POST._replace(last=0.1)),
}

TAKEN_BACK = Undone(202, True, "failed", 40, False, 0, ("shown", "taken back"))

BAD_UNDONE: dict[str, dict[str, Any]] = {
    "saw the post at once": {"shown": False},
    "the job failed later": {"end": "finished"},
    "some followers had": {"reached": 0},
    "neither the author's page": {"on_page": True},
    "nor any timeline": {"left": 1},
}


def test_true_posts_pass() -> None:
    """As they are on an idle machine."""
    check_moments(GOOD)
    check_undone(TAKEN_BACK)
    assert round(GOOD.later_ms, 1) == 3.5


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_moments_can_fail(claim: str) -> None:
    """By one moment that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_moments(BAD[claim])


@pytest.mark.parametrize("claim", BAD_UNDONE)
def test_each_claim_about_the_undo_can_fail(claim: str) -> None:
    """By one thing that went otherwise."""
    with pytest.raises(ClaimError, match=claim):
        check_undone(TAKEN_BACK._replace(**BAD_UNDONE[claim]))
