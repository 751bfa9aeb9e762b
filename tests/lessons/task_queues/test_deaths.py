"""Section c ★: who notices what, and what is done twice; each check can fail."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_fates, check_unnoticed, show_fates, show_who_noticed
from lessons.task_queues.deaths import EXCEPTION, FROZEN, HORSE, NO_RETRY, TIME_OUT, WORKER, Fate
from lessons.task_queues.defaults import HEARTBEAT_LASTS_S, IDLE_ROUND_S, LATEST_S, SOONEST_S, computed
from lessons.task_queues.unnoticed import Recorded, Recording


@pytest.mark.live
@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_six_letters_meet_their_six_fates(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The star of the notebook, and everything that it says of it; twice, for the killing must leave nothing behind."""
    for _ in range(2):
        fates = await task_queues.six_fates(lesson)
        show_fates(fates)
        show_who_noticed(fates)
        print(fates)
        capsys.readouterr()
        check_fates(fates)
        assert not any(letter.isdigit() for letter in capsys.readouterr().out)


def fate(name: str, begun: int, sent: int, after_s: float, status: str = "finished") -> Fate:
    """One that began at second 0 and met its trouble at second 1."""
    thawed = 1 + after_s if name == FROZEN else None
    return Fate(name, tuple(map(float, range(begun))), tuple([9.0] * sent), 1.0, 1 + after_s, thawed, status, "")


TRUE = {
    EXCEPTION: fate(EXCEPTION, 2, 0, 0.02, "failed"),
    TIME_OUT: fate(TIME_OUT, 2, 0, 0.02, "failed"),
    HORSE: fate(HORSE, 2, 1, 0.03),
    WORKER: fate(WORKER, 2, 1, 3.0),
    NO_RETRY: fate(NO_RETRY, 1, 0, 3.0, "failed"),
    FROZEN: fate(FROZEN, 2, 2, 3.2),
}

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "before any dead or frozen": (WORKER, {"noticed": 1.01}),
    "tried a second time": (HORSE, {"begun": (0.0,)}),
    "without Retry": (NO_RETRY, {"begun": (0.0, 1.0)}),
    "was never sent": (NO_RETRY, {"sent": (2.0,)}),
    "does not help": (TIME_OUT, {"sent": (2.0,)}),
    "was sent, once": (WORKER, {"sent": (2.0, 3.0)}),
    "was sent twice": (FROZEN, {"sent": (2.0,)}),
}


def test_true_fates_pass() -> None:
    """As they are on an idle machine."""
    check_fates(list(TRUE.values()))


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_fates_can_fail(claim: str) -> None:
    """By one letter that fared otherwise."""
    name, changes = BAD[claim]
    with pytest.raises(ClaimError, match=claim):
        check_fates([one._replace(**changes) if one.name == name else one for one in TRUE.values()])


def test_the_constants_are_those_of_the_notebook() -> None:
    """A new version of RQ with other ones must be told to the reader."""
    assert (SOONEST_S, HEARTBEAT_LASTS_S, IDLE_ROUND_S, LATEST_S) == (60, 90, 810, 900)


@pytest.mark.parametrize(
    ("killed_s", "busy", "noticed_s"),
    [(0, False, 810), (20, False, 790), (719, False, 91), (730, False, 890), (20, True, 580), (511, True, 689)],
)
def test_a_death_is_noticed_at_the_first_look_after_its_last_sign_of_life(
    killed_s: float, busy: bool, noticed_s: float
) -> None:
    """Who dies just too late for one look waits for the next one."""
    assert computed(killed_s, other_is_busy=busy) == noticed_s
    assert HEARTBEAT_LASTS_S <= noticed_s <= LATEST_S


def test_the_recording_in_the_repository_bears_the_chapter_out(capsys: pytest.CaptureFixture[str]) -> None:
    """It is what the notebook shows, with its conditions."""
    record = task_queues.recording()
    check_unnoticed(record)
    task_queues.show_recording()
    assert "rq 3.0" in capsys.readouterr().out
    assert {run.other_is_busy for run in record.runs} == {True, False}


SAID = "Moved to FailedJobRegistry, due to AbandonedJobError"
LONG = Recorded(20, False, 790.5, SAID)


@pytest.mark.parametrize(
    ("claim", "runs"),
    [
        ("it did take more", (Recorded(500, False, 311, SAID),)),
        ("is as computed", (LONG, Recorded(20, True, 700, SAID))),
        ("was given up", (LONG, Recorded(20, True, 581, "a result"))),
    ],
)
def test_each_claim_about_the_recording_can_fail(claim: str, runs: tuple[Recorded, ...]) -> None:
    """By a run that went otherwise."""
    check_unnoticed(Recording("", (LONG,)))
    with pytest.raises(ClaimError, match=claim):
        check_unnoticed(Recording("", runs))
