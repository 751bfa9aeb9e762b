"""A few questions and one answer: by buttons, with words for screen readers, and the questions without a kernel."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lessons.show.questions import Question, Questions

ASKED = (Question("size", "How large?", ("small", "large")), Question("colour", "Which colour?", ("red", "<blue>")))


def answer(answers: Mapping[str, str]) -> list[str]:
    """All of it, in one line each."""
    return [f"{answers['size']} and {answers['colour']}", "so it is"]


async def test_the_answer_follows_the_choices() -> None:
    """The first choices to begin with; text is text, whatever it looks like."""
    questions = Questions(ASKED, answer)
    assert questions.chosen == {"size": "small", "colour": "red"}
    assert "small and red" in questions.said
    size, colour = questions.widget.children[1], questions.widget.children[3]
    size.value, colour.value = "large", "<blue>"
    assert "large and &lt;blue&gt;" in questions.said
    assert 'role="status"' in questions.said


async def test_each_button_says_its_question() -> None:
    """A label beside the buttons is none for a screen reader."""
    size = Questions(ASKED, answer).widget.children[1]
    assert tuple(size.tooltips) == ("How large? small", "How large? large")


async def test_the_questions_stand_without_a_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    """Their text is the same on every run."""
    Questions(ASKED, answer).show()
    assert "How large? [small | large]" in capsys.readouterr().out
