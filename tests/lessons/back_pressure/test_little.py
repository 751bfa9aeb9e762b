"""Section e: Little's law on one's own run, and the guess at the door; each claim can fail."""

from __future__ import annotations

import dataclasses

import pytest

from lessons import back_pressure
from lessons.back_pressure import Lesson
from lessons.back_pressure.little import guesses, law
from lessons.check.claims import ClaimError
from tests.lessons.back_pressure.paper import PAPER, played, watched

LIMIT = 20
RUN = played(PAPER.overloaded(LIMIT))


@pytest.mark.live
@pytest.mark.timed
async def test_it_holds_on_a_run_of_ones_own(lesson: Lesson) -> None:
    """A run is played where none was kept, and then it is the same one."""
    run = await back_pressure.a_run(lesson, LIMIT)
    assert await back_pressure.a_run(lesson, LIMIT) is run
    back_pressure.check_little(run)
    back_pressure.check_tool(lesson, await back_pressure.a_run(lesson, None))


def test_a_true_run_passes_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The twin's run with looks that saw what was inside."""
    run = watched(RUN, LIMIT)
    back_pressure.check_little(run)
    back_pressure.check_tool(PAPER, run)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)
    back_pressure.show_little(run)
    assert law(run).by_law == pytest.approx(LIMIT, rel=0.15)


def test_the_law_fails_where_redis_held_something_else() -> None:
    """Twice as many were seen as the posts account for."""
    with pytest.raises(ClaimError, match="arrival rate times average stay"):
        back_pressure.check_little(watched(RUN, 2 * LIMIT))


def test_two_parties_are_needed() -> None:
    """A simulated run has nobody who looked at Redis."""
    alone = dataclasses.replace(watched(RUN, LIMIT), source="twin")
    with pytest.raises(ClaimError, match="different parties"):
        back_pressure.check_little(alone)


@pytest.mark.parametrize("claim", ["off by less than a third", "the guess is fair"])
def test_the_guess_fails_where_the_workers_are_slower_than_thought(claim: str) -> None:
    """With one worker instead of three a stay is three times the guess."""
    slow = played(PAPER.overloaded(LIMIT).replace("service.workers", 1))
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_tool(PAPER, slow)


def test_a_guess_needs_what_can_be_seen_at_the_door() -> None:
    """Inside over rate, one per post that was let in and done."""
    guessed, came = guesses(PAPER, RUN)
    assert len(guessed) == len(came) > 50
    assert max(guessed) == pytest.approx(LIMIT / PAPER.capacity)
    assert (came > 0).all()
