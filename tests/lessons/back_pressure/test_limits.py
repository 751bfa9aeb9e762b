"""Section b, the star: the limit beyond patience serves the fewest, and each claim about it can fail."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from lessons import back_pressure
from lessons.back_pressure import LIMITS, Lesson
from lessons.back_pressure.limits import Served, served
from lessons.check.claims import ClaimError
from tests.lessons.back_pressure.paper import PAPER, played

TAPES = 100
LEAST = 99
FIRST = random.randrange(10**6)


def test_a_hundred_serve_the_fewest_in_nearly_every_tape() -> None:
    """In time over the whole run, and once full: fewer with 100 than with 6, 20 or 40, in at least 99 of 100 tapes."""
    twin = back_pressure.twin_limits(PAPER, seeds=range(FIRST, FIRST + TAPES))
    for name in ("in_time", "rate"):
        fewest = [
            getattr(twin[100][n], name) < min(getattr(twin[limit][n], name) for limit in (6, 20, 40))
            for n in range(TAPES)
        ]
        assert sum(fewest) >= LEAST, f"{name}, seeds from {FIRST}: {[n for n, held in enumerate(fewest) if not held]}"


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_star_is_so_on_real_workers(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Two live pairs with random seeds; twenty are played by ``python -m benchmarks.longest_queue``."""
    for _ in range(2):
        seed = random.randrange(10**6)
        short, long = [await lesson.play(lesson.overloaded(limit, seed=seed)) for limit in (20, 100)]
        back_pressure.check_live_limits(short, long)
    assert "✗" not in capsys.readouterr().out


def good() -> dict[int, list[Served]]:
    """Two tapes as the twin plays them."""
    return back_pressure.twin_limits(PAPER, seeds=range(2))


BAD_TWINS: dict[str, tuple[int, dict[str, float]]] = {
    "the fewest in time, on every tape": (100, {"in_time": 10_000}),
    "almost nobody in time": (100, {"rate": 20.0}),
    "nearly what the workers can do": (40, {"rate": 30.0}),
    "theory says the same": (40, {"rate": 50.0}),
    "limit / capacity": (40, {"sojourn_s": 2.0}),
    "what the workers cannot do": (20, {"refused_share": 0.9}),
    "same amount of work": (6, {"throughput": 20.0}),
}


def test_a_true_twin_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit, so that they are the same on every machine."""
    back_pressure.check_limits(PAPER, good())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 7
    assert not any(letter.isdigit() for letter in lines)


@pytest.mark.parametrize("claim", BAD_TWINS)
def test_each_claim_about_the_twin_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    limit, wrong = BAD_TWINS[claim]
    twin = good()
    twin[limit] = [one._replace(**wrong) for one in twin[limit]]  # type: ignore[arg-type]  # fields by their names
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_limits(PAPER, twin)


def run(limit: int | None, **changes: object) -> Run:
    """The short form in the twin."""
    return played(PAPER.overloaded(limit), **changes)


BAD_PAIRS: dict[str, Callable[[], tuple[Run, Run]]] = {
    "the very same posts": lambda: (run(20), played(PAPER.overloaded(100, seed=8))),
    "served fewer in time": lambda: (run(6), run(20)),
    "once it was full": lambda: (run(20), run(40)),
    "as busy all the same": lambda: (run(20), played(PAPER.overloaded(100).replace("service.workers", 1))),
    "the books of both runs": lambda: (run(20), run(100, lose=Kind.ENDED)),
}


def test_a_true_pair_passes() -> None:
    """As the twin plays it."""
    back_pressure.check_live_limits(run(20), run(100))


@pytest.mark.parametrize("claim", BAD_PAIRS)
def test_each_claim_about_the_pair_can_fail(claim: str) -> None:
    """Each by a pair of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_live_limits(*BAD_PAIRS[claim]())


def test_who_is_served_is_read_off_a_run() -> None:
    """The counts of the record, the share that is refused, and a stay that grows with the limit."""
    found = {limit: served(run(limit)) for limit in LIMITS}
    stays = [found[limit].sojourn_s for limit in LIMITS]
    assert stays == sorted(stays)
    for limit, one in found.items():
        counts = run(limit).ledger.counts
        assert one.refused_share == pytest.approx(counts["shed"] / counts["requests"])
        assert 0 < one.in_time <= counts["requests"] - counts["shed"]
