"""Section a: after the 202 a client hears nothing until it asks; each check can fail."""

from __future__ import annotations

import pytest

from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_heard, check_progress
from lessons.task_queues.hearing import Crashed, Heard


@pytest.mark.live
async def test_a_crash_is_heard_by_those_who_ask(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Four clients, four jobs that crash, and everything that the notebook says of them."""
    seen = await task_queues.crash_after_202(lesson)
    print(seen)
    check_heard(seen)
    assert "✗" not in capsys.readouterr().out
    assert all(one.late_s > -0.05 for one in seen.heards), "nobody hears of an end before it"


@pytest.mark.live
async def test_a_whole_report_moves_a_bar(lesson: Lesson) -> None:
    """Progress comes while the job runs, and the end last."""
    news = await task_queues.order_report(lesson)
    assert news[0] in ("queued", "started")
    check_progress(news)


NEWS = ("queued", "started", "progress", "failed")
POLLING, WAITING = Heard("polling", 3, "failed", 0.2), Heard("long poll", 1, "failed", 0.0)
LISTENING = Heard("SSE", 2, "failed", 0.0, NEWS)
TRUE = Crashed(202, "queued", "failed", (POLLING, WAITING, LISTENING))

BAD = {
    "answered with 202": TRUE._replace(answer=200),
    "the job crashed": TRUE._replace(in_redis="finished"),
    "whoever did not ask": TRUE._replace(heard="failed"),
    "whoever asks hears": TRUE._replace(heards=(POLLING, WAITING._replace(status="accepted"), LISTENING)),
    "polling needed more": TRUE._replace(heards=(POLLING._replace(requests=2), WAITING, LISTENING)),
    "the stream told": TRUE._replace(heards=(POLLING, WAITING, LISTENING._replace(news=("queued", "failed")))),
}


def test_a_true_crash_passes() -> None:
    """As it is on an idle machine."""
    check_heard(TRUE)
    check_progress(["queued", "progress 1", "progress 4", "finished"])


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_hearing_can_fail(claim: str) -> None:
    """By the one thing that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_heard(BAD[claim])


@pytest.mark.parametrize(
    ("claim", "news"),
    [
        ("the stream ended", ["progress 1", "progress 2", "failed"]),
        ("how far the work was", ["queued", "progress 1", "finished"]),
        ("never backwards", ["progress 4", "progress 1", "finished"]),
    ],
)
def test_each_claim_about_progress_can_fail(claim: str, news: list[str]) -> None:
    """By news that are wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_progress(news)
