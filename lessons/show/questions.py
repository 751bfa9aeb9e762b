"""A few questions with their choices, and one answer that follows from all of them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ipywidgets as w

from lessons.show.view import show_widget


class Question(NamedTuple):
    """One question; ``name`` is its key in the answers."""

    name: str
    text: str
    choices: tuple[str, ...]


class Questions:
    """The widget; ``show()`` displays it.

    Args:
        questions: what to ask. The first choice of each is taken to begin with.
        answer: takes the choices by the questions' names, returns what to say: lines of plain text.
    """

    def __init__(self, questions: Sequence[Question], answer: Callable[[Mapping[str, str]], Sequence[str]]) -> None:
        self._questions, self._answer = questions, answer
        self._buttons = {one.name: _buttons(one) for one in questions}
        self._said = w.HTML()
        for buttons in self._buttons.values():
            buttons.observe(lambda _: self._say(), names="value")
        rows = [part for one in questions for part in (w.HTML(f"<b>{one.text}</b>"), self._buttons[one.name])]
        self.widget = w.VBox([*rows, self._said])
        self._say()

    @property
    def chosen(self) -> dict[str, str]:
        """Question's name → choice."""
        return {name: str(buttons.value) for name, buttons in self._buttons.items()}

    @property
    def said(self) -> str:
        """The answer as it stands there."""
        return str(self._said.value)

    def show(self) -> None:
        """Display it; the questions stand for it where no widget can be shown."""
        show_widget(self.widget, "\n".join(f"{one.text} [{' | '.join(one.choices)}]" for one in self._questions))

    def _say(self) -> None:
        first, *rest = map(html.escape, self._answer(self.chosen))
        self._said.value = f'<div role="status"><b>{first}</b><br>{"<br>".join(rest)}</div>'


def _buttons(question: Question) -> w.ToggleButtons:
    buttons = w.ToggleButtons(options=question.choices, style={"button_width": "auto"})
    # the question is no label of the buttons for a screen reader, so each button says it too
    buttons.tooltips = [f"{question.text} {choice}" for choice in question.choices]
    return buttons
