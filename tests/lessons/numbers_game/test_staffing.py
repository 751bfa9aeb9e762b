"""Section b: fifteen workers are too few for ever, nineteen are where to start, and each claim can fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from demo_workers.records.measures import Measures
from lessons import numbers_game
from lessons.check.claims import ClaimError
from lessons.numbers_game import staffing

TAPES = 6
FIRST = random.randrange(10**6)


def test_it_is_so_on_any_tapes() -> None:
    """In pairs, as the notebook plays them."""
    for first in range(FIRST, FIRST + TAPES, 2):
        numbers_game.check_crews(numbers_game.twin_crews(seeds=(first, first + 1)))


def test_theory_says_why_fifteen_have_no_long_run(capsys: pytest.CaptureFixture[str]) -> None:
    """With λ, with what the workers can do, and with a remedy; the same text on every machine."""
    numbers_game.show_enough()
    said = capsys.readouterr().out
    assert said.startswith("UnstableQueue: arrival_rate = 300 per second, but 15 workers")
    assert "at least 16 workers" in said


def test_the_rule_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """One root is nineteen workers and a quarter that waits, two are twenty-three and few."""
    numbers_game.show_rule()
    _, one, two = capsys.readouterr().out.splitlines()
    assert one.endswith("19 workers; 24% have to wait (in a very large system 22%)")
    assert two.endswith("23 workers; 4% have to wait (in a very large system 3%)")


@cache
def good() -> dict[int, list[Measures]]:
    """As the notebook plays them."""
    return numbers_game.twin_crews()


def test_true_crews_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit; the table has a row per number of workers."""
    numbers_game.check_crews(good())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 8
    assert not any(letter.isdigit() for letter in lines)
    numbers_game.show_crews(good())
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:8].strip().isdigit()]
    assert rows == [str(workers) for workers in good()]


def changed(workers: int, **values: float) -> dict[int, list[Measures]]:
    """The twin's crews with other figures for one of them."""
    return good() | {workers: [replace(one, **values) for one in good()[workers]]}


BAD_TWINS: dict[str, Callable[[], dict[int, list[Measures]]]] = {
    "on the same tape each worker more": lambda: changed(22, wait_s=1.0),
    "with fifteen the wait is many times": lambda: changed(15, wait_s=0.004),
    "some have to wait, and most do not": lambda: changed(19, p_wait=0.9),
}


@pytest.mark.parametrize("claim", BAD_TWINS)
def test_each_claim_about_the_twin_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_crews(BAD_TWINS[claim]())


BAD_THEORY: dict[str, dict[str, Any]] = {
    "theory has no long run": {"RATE": 290.0},
    "the square-root rule": {"RATE": 200.0},
    "about one in four": {"ROOT": 22},
    "less than a tenth": {"ROOT": 17},
    "helps less than the one before": {"CHOICES": (22, 16, 17, 19)},
}


@pytest.mark.parametrize("claim", BAD_THEORY)
def test_each_claim_about_theory_can_fail(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other loads and other numbers of workers."""
    twin = good()
    for name, value in BAD_THEORY[claim].items():
        monkeypatch.setattr(staffing, name, value)
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_crews(twin)
