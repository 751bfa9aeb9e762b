"""Section d: six answers, each with its number and its cost, and each claim about them can fail."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from demo_workers.brokers.losses import recorded
from demo_workers.errors import LabError
from lessons import trade_offs
from lessons.check.claims import ClaimError
from lessons.trade_offs import Lesson, guide
from lessons.trade_offs.cost import CODE, FAILURES, PROGRAMS, Cost, statements
from lessons.trade_offs.guide import CHOICES, LOG, NONE, POOL, QUESTIONS, RABBITMQ, REDIS, SQS, Number, choose
from lessons.trade_offs.lesson import Answers
from lessons.trade_offs.numbers import EVENTS, Measured

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
FOUND = Measured(Answers(0.0001, 0.002, 0.006, 0.003), 0.0001, 19, (EVENTS, EVENTS), (100, 100), recorded())


@pytest.mark.live
@pytest.mark.timed
async def test_the_numbers_are_measured_here(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Or recorded, and each says which; nothing is left in Redis."""
    found = await trade_offs.measure_choices(lesson)
    trade_offs.check_numbers(found)
    trade_offs.check_guide(found.numbers)
    trade_offs.show_numbers(found)
    said = capsys.readouterr().out
    assert "✗" not in said
    assert all(choice in said for choice in CHOICES)
    assert not await lesson.stack.connection.exists(f"{lesson.stack.queue}:stream", f"{lesson.stack.queue}:list")


@pytest.mark.live
async def test_what_runs_is_what_the_table_says(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """A second worker would be one program more."""
    costs = trade_offs.count_costs()
    trade_offs.check_costs(costs, await trade_offs.count_running(lesson))
    trade_offs.show_costs(costs)
    assert "ways to fail" in capsys.readouterr().out
    await lesson.stack.workforce.resize(2)
    with pytest.raises(ClaimError, match="as many as run here"):
        trade_offs.check_costs(costs, await trade_offs.count_running(lesson))


def answers(**changes: str) -> dict[str, str]:
    """The first choice of each question, but for these."""
    return {one.name: one.choices[0] for one in QUESTIONS} | changes


def test_the_guide_prefers_the_simplest() -> None:
    """Each answer by the question that leads to it."""
    assert choose(answers()) == REDIS
    assert choose(answers(servers=guide.OWN_ROUTING)) == RABBITMQ
    assert choose(answers(servers=guide.NOBODY)) == SQS
    assert choose(answers(loss=guide.YES)) == POOL
    assert choose(answers(work=guide.SHORT)) == NONE
    assert choose(answers(result=guide.YES, loss=guide.YES)) == NONE
    assert choose(answers(readers=guide.SEVERAL, work=guide.SHORT)) == LOG


async def test_a_click_changes_the_answer() -> None:
    """The number of the choice is said with it."""
    questions = guide.questions(FOUND.numbers)
    assert "Redis and RQ" in questions.said
    question = next(n for n, one in enumerate(QUESTIONS) if one.name == "work")
    questions.widget.children[2 * question + 1].value = guide.SHORT  # each has its words, then its buttons
    assert questions.chosen["work"] == guide.SHORT
    assert "No queue" in questions.said
    assert "2 ms inline, 6 ms through a queue (measured here)" in questions.said


def test_true_ones_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine."""
    trade_offs.check_numbers(FOUND)
    trade_offs.check_guide(FOUND.numbers)
    trade_offs.check_costs(trade_offs.count_costs(), 2)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 12
    assert not any(letter.isdigit() for letter in lines)


BAD_NUMBERS = {
    "far less per call": FOUND._replace(pool_s=0.003),
    "gone with its process": FOUND._replace(pool_lost=0),
    "reads everything": FOUND._replace(stream_read=(EVENTS, 3)),
    "goes to one of them": FOUND._replace(list_read=(EVENTS, 0)),
}


@pytest.mark.parametrize("claim", BAD_NUMBERS)
def test_each_claim_about_the_numbers_can_fail(claim: str) -> None:
    """By the one that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_numbers(BAD_NUMBERS[claim])


BAD_RULES = {
    "each of the six": lambda answers: REDIS,
    "sent to no queue of tasks": lambda answers: choose({**answers, "result": guide.NO}),
    "goes to a broker": lambda answers: choose({**answers, "loss": guide.YES}),
}


@pytest.mark.parametrize("claim", BAD_RULES)
def test_each_claim_about_the_guide_can_fail(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a rule that is wrong."""
    monkeypatch.setattr(guide, "choose", BAD_RULES[claim])
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_guide(FOUND.numbers)


@pytest.mark.parametrize(
    "bad", [Number("no figure", "measured here"), Number("3 ms", "somebody said so")], ids=["no figure", "no source"]
)
def test_a_number_must_be_one_and_say_where_from(bad: Number) -> None:
    """Of every choice."""
    with pytest.raises(ClaimError, match="measured here or recorded"):
        trade_offs.check_guide(FOUND.numbers | {SQS: bad})
    with pytest.raises(ClaimError, match="measured here or recorded"):
        trade_offs.check_guide({choice: one for choice, one in FOUND.numbers.items() if choice != SQS})


BAD_COSTS: dict[str, dict[str, Cost]] = {
    "the least of everything": {NONE: Cost(3, 0, 4)},
    "more programs and more code": {SQS: Cost(0, 90, 6)},
    "more ways to fail": {SQS: Cost(1, 90, 4)},
    "as many as run here": {REDIS: Cost(4, 280, 8)},
}


@pytest.mark.parametrize("claim", BAD_COSTS)
def test_each_claim_about_the_costs_can_fail(claim: str) -> None:
    """By the one count that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_costs(trade_offs.count_costs() | BAD_COSTS[claim], 2)


def test_every_failure_is_shown_where_the_table_says() -> None:
    """The section is there, in its notebook."""
    for one in FAILURES:
        (path,) = NOTEBOOKS.glob(f"{one.chapter}_*.ipynb")
        cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        assert any(re.match(rf"## {one.section}\b", cell) for cell in cells), one
        assert set(one.choices) <= set(CHOICES)


def test_statements_are_counted_and_not_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docstrings and comments are none, and the module is not run."""
    text = '"""Words."""\n\n# a comment\nx = (\n    1\n)\n\n\ndef f():\n    """Words."""\n    return 1 / 0\n\n\n1 / 0\n'
    (tmp_path / "counted_module.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert statements("counted_module") == 4
    with pytest.raises(LabError, match="must be one of this project's"):
        statements("demo_workers.no_such_module")
    assert set(CODE) == set(PROGRAMS) == set(CHOICES)
