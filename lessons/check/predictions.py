"""The reader commits to a prediction before the run; "not predicted" is allowed."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as w

from lessons.show.view import show_widget

NONE = "not predicted"

_given: dict[str, str] = {}
_happened: dict[str, str] = {}
_questions: dict[str, str] = {}


def ask(name: str, question: str, choices: Sequence[str]) -> None:
    """Show a question with its choices as buttons; running the cell again clears the choice.

    Args:
        name: the prediction's key.
        question: one short sentence.
        choices: what can be chosen, beside "not predicted".
    """
    put(name, question)
    buttons = _show_buttons(question, NONE, choices)
    buttons.observe(lambda change: commit(name, change["new"]), names="value")


def put(name: str, question: str) -> None:
    """A question is put, by whatever widget; nothing is predicted yet.

    Args:
        name: the prediction's key.
        question: one short sentence.
    """
    _questions[name] = question
    _given.pop(name, None)
    _happened.pop(name, None)


def commit(name: str, answer: str) -> None:
    """The reader's prediction, as it will be shown; the last one counts."""
    _given[name] = answer


def saw(question: str, choices: Sequence[str]) -> None:
    """Ask what was seen, before anything is explained; nobody keeps the answer.

    Args:
        question: one short sentence.
        choices: what can be chosen, beside "not said".
    """
    _show_buttons(question, "not said", choices)


def reveal(name: str, happened: str) -> None:
    """Print the prediction beside what happened, and keep both for ``review``."""
    _happened[name] = happened
    print(f"You said: {_given.get(name, NONE)}. It was: {happened}.")


def review() -> None:
    """All predictions of this notebook beside what happened."""
    for name, happened in _happened.items():
        print(f"{_questions.get(name, name)}\n  you: {_given.get(name, NONE)}\n  it was: {happened}")


def _show_buttons(question: str, none: str, choices: Sequence[str]) -> w.ToggleButtons:
    buttons = w.ToggleButtons(options=[none, *choices], style={"button_width": "auto"})
    # the question is no label of the buttons for a screen reader, so each button says it too
    buttons.tooltips = [f"{question} {choice}" for choice in buttons.options]
    show_widget(w.VBox([w.HTML(f"<b>{question}</b>"), buttons]), f"{question} [{' | '.join(choices)}]")
    return buttons
