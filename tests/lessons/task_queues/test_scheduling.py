"""Section d: later, again and again, and in advance; each check can fail."""

from __future__ import annotations

import pytest

from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_board, check_delayed, check_periodic, show_board
from lessons.task_queues.leaderboard import PERIOD_S, Board, Compared
from lessons.task_queues.scheduling import Delayed, Periodic


@pytest.mark.live
async def test_a_job_for_later_waits_for_a_scheduler(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """An idle worker does not move it; a scheduler does, and two do it once."""
    seen = await task_queues.delay_a_job(lesson)
    print(seen)
    capsys.readouterr()
    check_delayed(seen)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)


@pytest.mark.live
async def test_two_schedulers_double_everything_until_mended(lesson: Lesson) -> None:
    """Counted in the queues of RQ."""
    seen = await task_queues.two_schedulers(lesson)
    check_periodic(seen)


@pytest.mark.live
async def test_work_in_advance_pays_above_the_break_even(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides of it, by really counting and fetching."""
    board = await task_queues.compare_boards(lesson)
    show_board(board)
    capsys.readouterr()
    check_board(board)
    assert 1 <= board.break_even * PERIOD_S < 1.5
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)


LATE = Delayed(0.5, "rq:scheduled:…", "scheduled", 1.0, (1.6,), locked=True, retry_key="rq:scheduled:…")
BAD_DELAYS = {
    "still lay in the list": LATE._replace(status="finished"),
    "of what is for later": LATE._replace(key="another key"),
    "when schedulers were there": LATE._replace(begun_s=(0.6,)),
    "whose retry was to come later": LATE._replace(retry_key="another key"),
    "had a lock": LATE._replace(locked=False),
    "ran only once": LATE._replace(begun_s=(1.6, 1.7)),
}

PERIODIC = Periodic(one=3, two=6, mended=3, twice=1)
BAD_PERIODS = {
    "everything twice": PERIODIC._replace(two=3),
    "as much as one": PERIODIC._replace(mended=6),
    "a second time": PERIODIC._replace(twice=2),
}

BOARD = Board(0.005, 0.0001, Compared(4, 0.02, 0.06), Compared(36, 0.18, 0.064), same=True)
BAD_BOARDS = {
    "the same board": BOARD._replace(same=False),
    "far less work than counting": BOARD._replace(fetch_s=0.004),
    "on demand was less": BOARD._replace(below=Compared(4, 0.07, 0.06)),
    "in advance was less": BOARD._replace(above=Compared(36, 0.06, 0.07)),
}


def test_true_things_pass() -> None:
    """As they are on an idle machine; the break-even is where both ways are the same work."""
    check_delayed(LATE)
    check_periodic(PERIODIC)
    check_board(BOARD)
    rate = BOARD.break_even
    assert rate * BOARD.count_s == pytest.approx(rate * BOARD.fetch_s + BOARD.count_s / PERIOD_S)


@pytest.mark.parametrize("claim", BAD_DELAYS)
def test_each_claim_about_delays_can_fail(claim: str) -> None:
    """By the one thing that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_delayed(BAD_DELAYS[claim])


@pytest.mark.parametrize("claim", BAD_PERIODS)
def test_each_claim_about_schedulers_can_fail(claim: str) -> None:
    """By the one thing that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_periodic(BAD_PERIODS[claim])


@pytest.mark.parametrize("claim", BAD_BOARDS)
def test_each_claim_about_boards_can_fail(claim: str) -> None:
    """By the one thing that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_board(BAD_BOARDS[claim])
