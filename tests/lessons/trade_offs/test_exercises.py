"""The exercises: corrections are graded on freezes that nobody has seen, and a share is computed."""

from __future__ import annotations

import random

import pytest

from lessons import trade_offs
from lessons.trade_offs import Lesson
from lessons.trade_offs.exercises import CLASS_SEED, INTERVAL_S, TEST_S, closeness, freeze, naive, reference
from lessons.trade_offs.freeze import percentile


def test_the_reference_finds_what_users_met_on_any_freeze() -> None:
    """As written down the freeze is hidden; filled in, the p99 is the users'."""
    seeds = random.sample(range(2**31), 20)
    assert closeness(reference, seeds) > 0.95, seeds
    assert closeness(naive, seeds) < 0.1, seeds


def test_the_published_example_comes_out() -> None:
    """A hundred seconds at 1 ms, then a freeze of a hundred: as written down p99 is 1 ms, filled in 98 s.

    Source: Gil Tene, "How NOT to Measure Latency", 2013.
    """
    latencies = [0.001] * 10_000 + [100.0]
    assert percentile(latencies, 0.99) == 0.001
    filled = list(reference(latencies, 0.01))
    assert percentile(filled, 0.99) == pytest.approx(98, abs=0.1)
    assert percentile(filled, 0.75) == pytest.approx(50, abs=0.1)
    assert sum(filled) / len(filled) == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize(
    ("correct", "said"),
    [
        (naive, "It still hides the freeze."),
        (reference, "As good as the reference."),
        (lambda latencies, interval_s: [one for one in latencies for _ in range(1 + int(one / interval_s))], "of the"),
        (lambda latencies, interval_s: [], "It still hides the freeze."),
    ],
)
def test_the_report_has_figures_and_a_band(correct: object, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is nearly right is told so, and nothing at all is no mistake of the grader's."""
    trade_offs.grade_percentile(correct)  # type: ignore[arg-type]  # a reader's function may be anything
    report = capsys.readouterr().out
    assert report.startswith("as written down 0 · you ")
    assert said in report


def test_another_class_has_other_freezes() -> None:
    """The freeze is inside the test, and everybody wanted to send all the time."""
    first, second = freeze(CLASS_SEED), freeze(CLASS_SEED + 1)
    assert first != second
    assert first == freeze(CLASS_SEED)
    for found in (first, second):
        assert len(found.users) == int(TEST_S / INTERVAL_S) > len(found.tester)
        assert max(found.tester) > 1
        assert found.users[0] == found.users[-1]


@pytest.mark.live
async def test_the_share_falls_with_the_work(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The more work, the less of the wait is the queue's doing."""
    for work_s in (0.001, 1.0):
        await trade_offs.show_share(lesson, work_s)
    shares = [int(line.split(": ")[1].split("%")[0]) for line in capsys.readouterr().out.splitlines()]
    assert shares[0] > shares[1]
