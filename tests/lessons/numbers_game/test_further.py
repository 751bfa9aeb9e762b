"""Pages of a hundred parts, and the bill: what is said of them is so, and can fail."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from demo_workers.errors import ScenarioError
from lessons import numbers_game
from lessons.check.claims import ClaimError
from lessons.numbers_game import bill, fan_out
from lessons.numbers_game.bill import cost
from lessons.numbers_game.fan_out import Pages


@cache
def good() -> dict[int, Pages]:
    """As the notebook plays them."""
    return numbers_game.twin_pages()


def test_pages_are_so_on_any_tape(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit."""
    for seed in (7, *random.sample(range(10**6), 3)):
        numbers_game.check_pages(numbers_game.twin_pages(seed=seed))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4 * 5
    assert not any(letter.isdigit() for letter in lines)
    numbers_game.show_pages(good())
    assert capsys.readouterr().out.count("of the pages slow") == len(fan_out.PARTS)


BAD_PAGES: dict[str, tuple[int, dict[str, float]]] = {
    "more than half are slow": (100, {"slow": 0.4}),
    "theory says the same": (10, {"slow": 0.3}),
    "the more parts": (3, {"slow": 0.5}),
    "half of the large pages": (100, {"median_s": 0.01}),
    "spares a quarter": (100, {"hedged_slow": 0.6}),
}


@pytest.mark.parametrize("claim", BAD_PAGES)
def test_each_claim_about_pages_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    parts, wrong = BAD_PAGES[claim]
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_pages(good() | {parts: good()[parts]._replace(**wrong)})


def test_the_bill_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """A million jobs of a second are 278 hours of work: at half use, and at three an hour, 1,667."""
    assert cost(1.0, 0.5, price=3.0, rq_s=0.0) == pytest.approx(2 * 3 * 1e6 / 3600)
    assert cost(1.0, 1.0, price=3.0, rq_s=1.0) == pytest.approx(2 * 3 * 1e6 / 3600)
    numbers_game.show_bill(price=3.0, rq_s=0.0)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["1000", "ms", "1666.67", "1054.85", "877.19", "0%"]


def test_a_true_bill_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a digit."""
    numbers_game.check_bill()
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines)


BAD_BILLS: dict[str, dict[str, Any]] = {
    "of the shortest": {"WORKS_S": (0.1, 0.5, 1.0)},
    "of the longest": {"WORKS_S": (0.001, 0.05, 0.06)},
    "saves a third": {"UTILIZATIONS": (0.7, 0.79, 0.95)},
    "to run it hotter": {"UTILIZATIONS": (0.4, 0.6, 0.95)},
}


@pytest.mark.parametrize("claim", BAD_BILLS)
def test_each_claim_about_the_bill_can_fail(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other jobs, or busier and less busy workers."""
    for name, value in BAD_BILLS[claim].items():
        monkeypatch.setattr(bill, name, value)
    with pytest.raises(ClaimError, match=claim):
        numbers_game.check_bill()


@pytest.mark.parametrize("wrong", [{"work_s": 0.0}, {"utilization": 0.0}, {"utilization": 1.1}, {"price": -1.0}])
def test_a_bill_of_nonsense_is_refused(wrong: dict[str, float]) -> None:
    """With the bound."""
    with pytest.raises(ScenarioError):
        cost(**({"work_s": 1.0, "utilization": 0.5} | wrong))
