"""Section f: larger working sets are slower, ends of a queue are not, and full memory says no or lies."""

from __future__ import annotations

import pytest

from lessons import back_pressure
from lessons.back_pressure.distance import Distance
from lessons.back_pressure.full_memory import Filled, Places
from lessons.check.claims import ClaimError
from tests.processes import children


def test_memory_and_files_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """A real walk through memory, and a real file."""
    found = back_pressure.measure_distance()
    back_pressure.check_distance(found)
    back_pressure.show_distance(found)
    assert "times as slow" in back_pressure.slower(found)
    assert "one page of a file that is in memory" in capsys.readouterr().out


BAD_DISTANCES = {
    "several times as slow in the largest": Distance({1024: 2.0, 2048: 3.0}, 1000.0, 50_000.0),
    "even when the page is in memory": Distance({1024: 2.0, 2048: 100.0}, 1.0, 50_000.0),
    "a page from the disk": Distance({1024: 2.0, 2048: 100.0}, 1000.0, 1100.0),
}


@pytest.mark.parametrize("claim", BAD_DISTANCES)
def test_each_claim_about_distance_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_distance(BAD_DISTANCES[claim])


def test_a_system_that_does_not_forget_pages_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The check says the same lines there, and the cell above says that nothing was measured."""
    back_pressure.check_distance(Distance({1024: 2.0, 2048: 100.0}, 1000.0, None))
    back_pressure.show_distance(Distance({1024: 2.0, 2048: 100.0}, 1000.0, None))
    said = capsys.readouterr().out
    assert said.count("✓") == 3
    assert "not measured" in said


@pytest.mark.live
@pytest.mark.timed
async def test_ends_are_quick_and_scans_are_not() -> None:
    """On real Redis lists."""
    found = await back_pressure.look_for_places()
    back_pressure.check_places(found)
    back_pressure.show_places(found)


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ("both ends", Places({100: 50.0, 10_000: 500.0}, {100: 50.0, 10_000: 500.0})),
        ("asking for a place", Places({100: 50.0, 10_000: 50.0}, {100: 50.0, 10_000: 60.0})),
    ],
)
def test_each_claim_about_places_can_fail(claim: str, found: Places) -> None:
    """By the one time that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_places(found)


@pytest.mark.live
@pytest.mark.timed
async def test_a_full_redis_says_no_or_forgets() -> None:
    """Real RQ jobs in a real server without room; none is left afterwards."""
    noeviction, lru = await back_pressure.fill_up("noeviction", "allkeys-lru")
    back_pressure.check_full(noeviction, lru)
    assert "never said no" in str(lru)
    assert children() == []


NO = Filled("noeviction", 100, 84, refused=True, there=84, listed=True)
LRU = Filled("allkeys-lru", 100, 100, refused=False, there=40, listed=True)
BAD_FULL = {
    "noeviction: Redis says no": (NO._replace(refused=False), LRU),
    "noeviction: every job": (NO._replace(there=83), LRU),
    "allkeys-lru: Redis never says no": (NO, LRU._replace(refused=True)),
    "accepted jobs are gone": (NO, LRU._replace(there=100)),
}


def test_a_true_pair_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a number."""
    back_pressure.check_full(NO, LRU)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)
    assert "the queue itself is gone" in str(LRU._replace(listed=False))


@pytest.mark.parametrize("claim", BAD_FULL)
def test_each_claim_about_full_memory_can_fail(claim: str) -> None:
    """By the one field that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_full(*BAD_FULL[claim])
