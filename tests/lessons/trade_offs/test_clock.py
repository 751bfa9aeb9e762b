"""Section a: ticks through a queue miss their deadline, ``await`` is no queue, and each claim can fail."""

from __future__ import annotations

import asyncio

import pytest

from lessons import trade_offs
from lessons.check.claims import ClaimError
from lessons.trade_offs import Lesson
from lessons.trade_offs.beats import Beats
from lessons.trade_offs.ticks import THUMBNAIL_S, TICK_S, TICKS, Games, Ticks

COMPUTE_S = 0.1


@pytest.mark.live
@pytest.mark.timed
async def test_the_game_is_so_on_a_real_queue(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice in a row: nothing of the first game is left in the queue."""
    for _ in range(2):
        games = await trade_offs.play(lesson)
        trade_offs.check_ticks(games)
        assert [len(ticks.took_s) for ticks in games] == [TICKS, TICKS]
    assert "✗" not in capsys.readouterr().out


@pytest.mark.live
@pytest.mark.timed
async def test_a_heart_beats_while_others_compute(lesson: Lesson) -> None:
    """None of its beats falls into a computation of its own process, some fall into a worker's."""

    async def compute() -> None:
        trade_offs.work(COMPUTE_S, "cpu")

    here = await trade_offs.beats_during(compute())
    elsewhere = await trade_offs.beats_during(trade_offs.compute_elsewhere(lesson, COMPUTE_S))
    trade_offs.check_beats(here, elsewhere)
    assert min(here.took_s, elsewhere.took_s) >= COMPUTE_S


async def test_the_heart_stops_with_what_it_watches() -> None:
    """Also when that fails; the mistake is the reader's to see."""

    async def mistaken() -> None:
        raise ZeroDivisionError

    before = asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):
        await trade_offs.beats_during(mistaken())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


def ticks(missed: int, worst_s: float = THUMBNAIL_S, at_first_s: float = TICK_S / 2) -> Ticks:
    """So many missed their deadline."""
    return Ticks([at_first_s] * (TICKS - missed) + [worst_s] * missed)


QUICK = ticks(0, at_first_s=TICK_S / 4)


def test_true_games_and_beats_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine."""
    games = Games(QUICK, ticks(12))
    trade_offs.check_ticks(games)
    trade_offs.check_beats(Beats(0, 0.1), Beats(9, 0.1))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 6
    assert not any(letter.isdigit() for letter in lines)
    assert "12 of 30 ticks missed" in str(games)


BAD_GAMES = {
    "more than a quarter": Games(QUICK, ticks(5)),
    "in the game's own loop": Games(ticks(20, at_first_s=TICK_S / 4), ticks(12)),
    "took longer through the queue": Games(ticks(0), ticks(12)),
    "most of the thumbnail": Games(QUICK, ticks(12, worst_s=2 * TICK_S)),
}


@pytest.mark.parametrize("claim", BAD_GAMES)
def test_each_claim_about_the_game_can_fail(claim: str) -> None:
    """Each by a game of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_ticks(BAD_GAMES[claim])


BAD_BEATS = {
    "nothing else in this process ran": (Beats(1, 0.1), Beats(9, 0.1)),
    "this process went on": (Beats(0, 0.1), Beats(0, 0.1)),
}


@pytest.mark.parametrize("claim", BAD_BEATS)
def test_each_claim_about_beats_can_fail(claim: str) -> None:
    """By the one count that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_beats(*BAD_BEATS[claim])
