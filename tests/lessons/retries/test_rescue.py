"""The nine knobs: which bring the system back, how long that takes, and that each claim about them can fail."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable

import pytest

from demo_workers.records.directory import Steer
from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from demo_workers.scenario import KNOBS
from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries import TwentyTapes
from lessons.retries.rescue import REFERENCE, REMEDIES, RESCUERS, SEEDS, recovery_s, rescue_of
from lessons.retries.two_fates import FULL, RESCUE_S, SHORT_RESCUE
from tests.lessons.retries.fates_on_paper import PAPER, played
from tests.lessons.show.test_panel import button, until

FIRST = random.randrange(10**6)


def test_there_are_nine_knobs_of_the_running_system() -> None:
    """Each can be turned while a load goes on, changes something, and is one thing to a person."""
    assert len(REMEDIES) == 9
    scenario = PAPER.load()
    for remedy in REMEDIES.values():
        assert set(remedy.knobs) <= set(KNOBS)
        assert scenario.steered(**remedy.knobs) != scenario
        assert len(remedy.name) < 20


def test_what_the_notebook_says_of_the_nine_is_so_on_twenty_tapes(capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first at once; a limit and a breaker after the old queue; the six others not within the minute."""
    retries.check_rescues(retries.rescue_in_twin(PAPER, range(FIRST, FIRST + SEEDS)))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)


def good() -> dict[str, list[float]]:
    """Two tapes as the twin plays them."""
    return {
        key: [2.0, 3.0] if key == REFERENCE else [30.0, 40.0] if key in RESCUERS else [math.inf, math.inf]
        for key in REMEDIES
    }


BAD: dict[str, tuple[str, float]] = {
    "in a few seconds": (REFERENCE, 20.0),
    "within the minute": ("limit", math.inf),
    "several times as long": ("breaker", 5.0),
    "none of the other six": ("jitter", 50.0),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_nine_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    found, (key, wrong) = good(), BAD[claim]
    retries.check_rescues(found)
    found[key][1] = wrong
    with pytest.raises(ClaimError, match=claim):
        retries.check_rescues(found)


def test_the_table_says_how_long_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    """One line per knob; a range where there are several tapes."""
    retries.show_rescues(good())
    lines = [line for line in capsys.readouterr().out.splitlines() if ": " in line]
    assert len(lines) == len(REMEDIES)
    assert "2.5 s (2.0 to 3.0)" in lines[0]
    assert sum(f"not within {RESCUE_S:.0f} s" in line for line in lines) == 6


def test_recovery_is_when_people_are_served_again_and_go_on_to_be() -> None:
    """A healthy run is back at once, one that is left alone never; it is counted from the knob."""
    calm = played(FULL, struck=False)
    assert recovery_s(calm, 10.0) == 0.0
    long = FULL._replace(end_s=15.0)
    alone, back = played(long), played(long, turned=REMEDIES[REFERENCE].knobs)
    assert recovery_s(alone, long.turned_s) == math.inf
    found = recovery_s(back, long.turned_s)
    assert 0 < found < 10
    assert recovery_s(back, long.turned_s - 1) == pytest.approx(found + 1)


def back(**changes: object) -> Run:
    """The short rescue by the reference knob."""
    return played(SHORT_RESCUE, turned=REMEDIES[REFERENCE].knobs, **changes)  # type: ignore[arg-type]


def test_a_true_rescue_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit."""
    retries.check_live_rescue(back())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)
    before, after = rescue_of(back())
    assert before.in_time < after.in_time


def killed() -> Run:
    """The rescue, in which a worker died as well."""
    run = back()
    return dataclasses.replace(run, steering=[*run.steering, Steer(4.0, "worker_died", "w1")])


BAD_RUNS: dict[str, Callable[[], Run]] = {
    "one knob was turned": lambda: played(
        SHORT_RESCUE, struck=False, steering=[Steer(SHORT_RESCUE.turned_s, "limit", 16)]),
    "served in time again": lambda: played(SHORT_RESCUE, turned=REMEDIES["jitter"].knobs),
    "alive and without error": killed,
    "the books": lambda: back(lose=Kind.ENDED),
}  # fmt: skip


@pytest.mark.parametrize("claim", BAD_RUNS)
def test_each_claim_about_the_rescue_can_fail(claim: str) -> None:
    """Each by a run of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_live_rescue(BAD_RUNS[claim]())


async def test_twenty_tapes_come_by_a_button() -> None:
    """Their table and picture appear below it, and it can be pressed again."""
    tapes = TwentyTapes(PAPER, seeds=2)
    tapes.show()
    button("Twenty tapes").click()
    await until(lambda: tapes.widget.children[1].children, 90.0)
    await until(lambda: not button("Twenty tapes").disabled)
    _, table = tapes.widget.children[1].children
    assert table.value.count("not within 60 s") == 6
    assert "Played." in tapes.widget.children[0].children[1].value
