"""Section c ★: how long a death stays unnoticed by RQ as it comes, computed and recorded; each check can fail."""

from __future__ import annotations

import pytest

from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import check_unnoticed
from lessons.task_queues.defaults import HEARTBEAT_LASTS_S, IDLE_ROUND_S, LATEST_S, SOONEST_S, computed
from lessons.task_queues.unnoticed import Recorded, Recording


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
