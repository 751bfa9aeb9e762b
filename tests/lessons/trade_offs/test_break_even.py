"""Section a, the star: who waits gains nothing by a queue, who goes on does, and each claim about it can fail."""

from __future__ import annotations

import random
import time

import pytest

from demo_workers.errors import LabError
from lessons import trade_offs
from lessons.check.claims import ClaimError
from lessons.trade_offs import Lesson
from lessons.trade_offs.break_even import ROUNDS, a_like, break_even_s
from lessons.trade_offs.lesson import LIKE_S, Answers, accepted, ended, inline, queued

INLINE_S, QUEUE_S, ACCEPTED_S = 0.002, 0.004, 0.003
"""What inline takes beside the work, what the queue adds to that, and a 202."""


def curve(works_s: tuple[float, ...] = tuple(ROUNDS)) -> list[Answers]:
    """As it is with these costs."""
    return [Answers(work_s, work_s + INLINE_S, work_s + INLINE_S + QUEUE_S, ACCEPTED_S) for work_s in works_s]


@pytest.mark.live
@pytest.mark.timed
async def test_the_star_is_so_on_a_real_queue(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """As the notebook measures it; twenty times is ``python -m benchmarks.break_even``. Nothing waits afterwards."""
    points = await trade_offs.measure(lesson)
    trade_offs.check_break_even(points)
    trade_offs.show_break_even(points)
    said = capsys.readouterr().out
    assert "✗" not in said
    assert "the 202 comes sooner" in said
    assert [point.work_s for point in points] == list(ROUNDS)
    assert await a_like(lesson) == points[0]
    assert await lesson.stack.connection.llen(f"rq:queue:{lesson.stack.queue}") == 0


@pytest.mark.live
async def test_a_like_is_measured_where_section_a_was_skipped(lesson: Lesson) -> None:
    """And kept: the second question costs nothing."""
    like = await a_like(lesson)
    assert like.work_s == LIKE_S
    assert await a_like(lesson) is like


@pytest.mark.live
@pytest.mark.timed
async def test_no_way_is_answered_before_the_work_but_the_202(lesson: Lesson) -> None:
    """Inline and the wait take the work and more; the 202 has an address that tells when the work is done."""
    work_s = random.uniform(0.2, 0.4)
    async with lesson.http() as http:
        assert await inline(http, work_s) >= work_s
        assert await queued(http, work_s) >= work_s
        began = time.monotonic()
        took_s, location = await accepted(http, work_s)
        assert took_s < work_s
        await ended(http, [location])
        assert time.monotonic() - began >= work_s
        with pytest.raises(LabError, match=r"POST /sync = 422: must be 200"):
            await inline(http, -1)


def test_a_true_curve_passes_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine."""
    trade_offs.check_break_even(curve())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 6
    assert not any(digit in lines.replace("202", "") for digit in "0123456789")


BAD: dict[str, tuple[int, dict[str, float]]] = {
    "a like is answered later": (0, {"queued_s": 0.001}),
    "gains nothing by the queue": (2, {"queued_s": 0.005}),
    "come together": (4, {"queued_s": 4.0}),
    "the work of the longest is done": (4, {"inline_s": 1.9, "queued_s": 1.9}),
    "the 202 does not wait": (4, {"accepted_s": 0.6}),
    "long before the inline answer": (3, {"accepted_s": 0.15}),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    at, wrong = BAD[claim]
    points = curve()
    points[at] = points[at]._replace(**wrong)
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_break_even(points)


def test_the_break_even_is_where_the_lines_cross() -> None:
    """Below it inline answers first, above it the 202 does; it is never below zero."""
    even_s = break_even_s(curve())
    assert even_s == pytest.approx(ACCEPTED_S - INLINE_S)
    for work_s in (0.5 * even_s, 2 * even_s):
        assert (work_s + INLINE_S > ACCEPTED_S) == (work_s > even_s)
    quick = [point._replace(accepted_s=0.001) for point in curve()]
    assert break_even_s(quick) == 0


def test_ratio_and_share_say_the_same() -> None:
    """A third of the wait is the queue's doing where waiting takes one and a half times as long."""
    point = Answers(0.001, 0.002, 0.003, 0.002)
    assert point.ratio == pytest.approx(1.5)
    assert point.share == pytest.approx(1 / 3)
    assert trade_offs.slower([point]) == "1.5 times as late (3.0 ms against 2.0 ms)"
    assert trade_offs.later([point, Answers(2.0, 2.002, 2.006, 0.003)]) == "2.006 s against 2.002 s"
