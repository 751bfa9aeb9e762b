"""Section a: without a limit latency, memory and the time to drain grow, and each claim about it can fail."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from demo_workers.records.directory import Steer
from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from lessons import back_pressure
from lessons.back_pressure import Lesson
from lessons.back_pressure.overload import OVERLOAD_S, Memory, Overloaded, backlog_at, latency_at
from lessons.check.claims import ClaimError
from tests.lessons.back_pressure.paper import PAPER, played

SCENARIO = PAPER.overloaded(None, duration_s=OVERLOAD_S, patience_s=None)


def seen(run: Run, *, grown: int = 400_000, each: float = 900.0) -> Overloaded:
    """A run with looks at Redis between which it has grown by so many bytes."""
    return Overloaded(run, [Memory(0.1, 2_000_000, 0), Memory(3.9, 2_000_000 + grown, 200)], each)


@pytest.mark.live
@pytest.mark.timed
async def test_it_is_so_on_real_workers(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the panel, as the notebook runs it; Redis is looked at while it fills."""
    found = await back_pressure.overload(lesson, back_pressure.overload_panel(lesson))
    back_pressure.check_overload(lesson, found)
    back_pressure.show_drain(lesson, found)
    assert len(found.memory) > 10
    assert [look.t for look in found.memory] == sorted(look.t for look in found.memory)
    assert found.memory[-1].inside > 10 * max(found.memory[0].inside, 1)
    assert 100 < found.bytes_per_post < 10_000
    assert "time to drain" in capsys.readouterr().out


def test_the_shape_holds_on_nearly_any_tape() -> None:
    """In the twin, for 17 of 20 random seeds or more: half a second holds few posts."""
    held = 0
    for _ in range(20):
        try:
            back_pressure.check_overload(PAPER, seen(played(SCENARIO.replace("seed", random.randrange(10**6)))))
            held += 1
        except ClaimError as error:
            print(error)
    assert held >= 17


def test_a_true_overload_passes_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine."""
    back_pressure.check_overload(PAPER, seen(played(SCENARIO)))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 6
    assert not any(letter.isdigit() for letter in lines)


BAD: dict[str, Callable[[], Overloaded]] = {
    "nobody was refused": lambda: seen(played(SCENARIO.replace("admission.limit", 20))),
    "no worker died": lambda: seen(played(SCENARIO, steering=[Steer(1.0, "worker_died", "w0")])),
    "twice as long as after two": lambda: seen(played(SCENARIO.replace("load.arrival_rate", 20))),
    "as many are inside": lambda: seen(played(SCENARIO.replace("service.workers", 1))),
    "draining takes longer": lambda: seen(played(SCENARIO.replace("load.arrival_rate", 65))),
    "memory grew": lambda: seen(played(SCENARIO), grown=1000),
    "the books of this run": lambda: seen(played(SCENARIO, lose=Kind.ENDED)),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """Each by a run of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_overload(PAPER, BAD[claim]())


def test_latency_and_backlog_are_read_off_a_run() -> None:
    """At twice the capacity who is done at second t has waited for about half of it, and so many are inside."""
    run = played(PAPER.overloaded(None, duration_s=20, patience_s=None))
    for t in (5.0, 10.0, 20.0):
        assert latency_at(run, t) == pytest.approx(t / 2, rel=0.25)
        assert backlog_at(run, t) == pytest.approx((PAPER.arrival_rate - PAPER.capacity) * t, rel=0.25)
    assert "(at second 2:" in back_pressure.doubling(seen(run))
