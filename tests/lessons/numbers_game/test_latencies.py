"""Section a: seven latencies are measured, shown beside the table, and each claim about them can fail."""

from __future__ import annotations

import pytest

from lessons import numbers_game
from lessons.check.claims import ClaimError
from lessons.numbers_game import Lesson, clocks
from lessons.numbers_game.latencies import SHUFFLED, TABLE, ordered

GOOD = dict(zip(clocks.NAMES, (2e-9, 1e-7, 2e-7, 4e-5, 1e-4, 1e-3, 8e-3), strict=True))


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.timeout(120)
async def test_this_machine_has_the_ladder(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """All seven, on real parts; whoever comes after finds the queue empty."""
    found = await numbers_game.measure(lesson)
    numbers_game.check_latencies(found)
    numbers_game.show_latencies(found)
    numbers_game.reveal_order(found)
    said = capsys.readouterr().out
    assert all(name in said for name in (*clocks.NAMES, *TABLE))
    with lesson.queue() as queue:
        assert queue.count == queue.finished_job_registry.count == queue.failed_job_registry.count == 0


def test_the_table_is_the_one_that_was_handed_down() -> None:
    """A cache is two hundred times as quick as memory in it; light has not become faster since."""
    assert TABLE["memory"].classic == pytest.approx(200 * TABLE["cache"].classic)
    for far in ("data centre", "ocean"):
        assert TABLE[far].classic == TABLE[far].later
    assert TABLE["fsync"].later < TABLE["fsync"].classic


def test_all_seven_are_offered_and_not_in_their_order() -> None:
    """Else the prediction would be made already."""
    assert sorted(SHUFFLED) == sorted(clocks.NAMES)
    assert list(SHUFFLED) != ordered(GOOD)
    assert ordered(GOOD) == list(clocks.NAMES)


def test_the_ladder_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Units fit the size; if the quickest took a second, a job would take weeks."""
    numbers_game.show_latencies(GOOD)
    lines = {line[:12].strip(): line[12:].split() for line in capsys.readouterr().out.splitlines() if line[:1].strip()}
    assert lines["cache"] == ["2", "ns", "0.5", "ns", "1", "ns", "1", "second"]
    assert lines["Redis"][:4] == ["100", "µs", "–", "–"]
    assert lines["RQ job"][-2:] == ["46", "days"]
    assert lines["ocean"][0] == "–"
    assert numbers_game.job_to_cache(GOOD) == "4,000,000 times"


def test_true_latencies_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit, so that they are the same on every machine; fsync may have any place."""
    numbers_game.check_latencies(GOOD)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 6
    assert not any(letter.isdigit() for letter in lines)
    for anywhere in (1e-9, 1e-6, 1.0):
        numbers_game.check_latencies(GOOD | {"fsync": anywhere})


BAD: dict[str, dict[str, float]] = {
    "all seven": {name: value for name, value in GOOD.items() if name != "fsync"},
    "twice as quick": GOOD | {"memory": 3e-9},
    "a system call takes longer": GOOD | {"system call": 1e-9},
    "another thread or process": GOOD | {"loopback": 1e-7},
    "an RQ job takes longer": GOOD | {"RQ job": 1.5e-4},
    "four powers": GOOD | {"cache": 2e-6, "memory": 5e-6, "system call": 6e-6},
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By what was measured."""
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_latencies(BAD[claim])
