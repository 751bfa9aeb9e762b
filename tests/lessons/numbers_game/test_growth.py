"""Section d: workers by the root, a sweep as RQ jobs, the same result as a loop, and each claim can fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from demo_workers.scenario import Scenario
from lessons import numbers_game
from lessons.check.claims import ClaimError
from lessons.numbers_game import Lesson, growth
from lessons.numbers_game.growth import (
    GROWTHS,
    REPLICATIONS,
    Growth,
    by_root,
    full_sweep,
    grown,
    in_proportion,
    short_sweep,
)
from lessons.show.progress_box import Cancelled
from lessons.sweeps.plan import Swept
from lessons.sweeps.sweep import sweep
from lessons.twin import replicate


@pytest.mark.live
@pytest.mark.timeout(120)
async def test_real_workers_give_what_a_loop_gives(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """As the notebook does it, with its progress in the box."""
    box = numbers_game.sweep_box(lesson)
    box.show()
    found = await numbers_game.do_sweep(lesson, box)
    assert box.bar.value == box.bar.max == len(short_sweep()) * REPLICATIONS
    alone = await numbers_game.play_alone(found)
    numbers_game.check_growth(found, alone)
    numbers_game.show_growth(found)
    numbers_game.show_time(found, alone, lesson)
    assert "✗" not in capsys.readouterr().out


@pytest.mark.live
@pytest.mark.timeout(120)
async def test_cancel_ends_the_sweep(lesson: Lesson) -> None:
    """It says how far it was; after that the box and the workers do the next one."""
    box = numbers_game.sweep_box(lesson)
    task = asyncio.create_task(box.run(lambda heard: growth.play(lesson, full_sweep(), 100, heard)))
    while box.cancel.disabled:
        await asyncio.sleep(0.01)
    box.cancel.click()
    with pytest.raises(Cancelled, match="Cancel was pressed"):
        await asyncio.wait_for(task, 60)
    assert not box.start.disabled
    await numbers_game.do_sweep(lesson, box)


def test_on_other_tapes_it_is_so_too() -> None:
    """The notebook's claims hold with other seeds."""
    for _ in range(3):
        seed = random.randrange(10**6)
        scenarios = [replace(one, seed=seed) for one in short_sweep()]
        found = looped(scenarios)
        numbers_game.check_growth(found, found)


def test_the_rules() -> None:
    """Both begin with three workers; at ten times the traffic they say thirty and nineteen."""
    assert (in_proportion(1), by_root(1)) == (3, 3)
    assert (in_proportion(10), by_root(10)) == (30, 19)
    assert [by_root(size) for size in GROWTHS] == [3, 5, 9, 19, 36]


async def test_the_whole_sweep_finds_the_root() -> None:
    """In the twin the fewest workers that keep the promise are nearly those of the rule, at every traffic."""
    picture = growth.fewest_picture(Growth(await sweep(full_sweep(), 2, local=True), 1.0))
    told = picture.alt.split("at most a quarter waits: ")[1].rstrip(".").split(", ")
    fewest = [float(one.split(" at ")[0]) for one in told]
    assert all(abs(found - by_root(size)) <= 2 for found, size in zip(fewest, GROWTHS, strict=True)), fewest


def looped(scenarios: list[Scenario]) -> Growth:
    """A plain loop in the twin."""
    swept = [Swept(scenario=one, replications=replicate(one, REPLICATIONS, engine="python")) for one in scenarios]
    return Growth(swept, 1.0)


@cache
def good() -> Growth:
    """As the notebook has it."""
    return looped(short_sweep())


def test_a_true_sweep_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit."""
    numbers_game.check_growth(good(), good())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 7
    assert not any(letter.isdigit() for letter in lines)


def changed(size: int, workers: int, **values: float) -> Growth:
    """The sweep with other figures for one scenario."""

    def other(one: Swept) -> Swept:
        if one.scenario != grown(size, workers):
            return one
        measures = [replace(measured, **values) for measured in one.found.measures]
        return replace(one, replications=replace(one.found, measures=measures))

    return Growth([other(one) for one in good().swept], 1.0)


def unbalanced() -> Growth:
    """The sweep with a line of the books that did not hold."""
    first, *others = good().swept
    wrong = replace(first, replications=replace(first.found, invariants={"attempts": False}))
    return Growth([wrong, *others], 1.0)


BAD: dict[str, Callable[[], Growth]] = {
    "the books of every": unbalanced,
    "hardly anybody waits": lambda: changed(20, 60, p_wait=0.5),
    "half of the workers are idle": lambda: changed(4, 12, utilization=0.9),
    "about as many wait at any traffic": lambda: changed(20, 36, p_wait=0.9),
    "the workers are busier": lambda: changed(20, 36, utilization=0.5),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    bad = BAD[claim]()
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_growth(bad, bad)


def test_a_sweep_that_differs_from_the_loop_is_told() -> None:
    """By one figure of one replication."""
    with pytest.raises(ClaimError, match="to the last bit"):
        numbers_game.check_growth(good(), changed(1, 3, p_wait=0.25))


def test_the_claim_about_theory_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stricter promise."""
    found = good()
    monkeypatch.setattr(growth, "PROMISE", 0.2)
    with pytest.raises(ClaimError, match="nineteen workers keep the promise"):
        numbers_game.check_growth(found, found)
