"""The reader commits to a prediction before the run; "not predicted" is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import ipywidgets as w

from lessons.show.view import show_widget

NONE = "not predicted"
BEFORE = " < "
"""Between the items of an order."""

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


def order(name: str, question: str, items: Sequence[str]) -> None:
    """Show items to be put in order: one is chosen in a list and moved by buttons, all with the keyboard if need be.

    The order as it is offered is no prediction; moving anything, or saying that it is the order, makes it one.

    Args:
        name: the prediction's key.
        question: one short sentence that says what comes first.
        items: in the order in which they are offered.
    """
    _questions[name] = question
    _given.pop(name, None)
    _happened.pop(name, None)
    listed = w.Select(options=list(items), rows=len(items), description="in order", tooltip=question)
    said = w.HTML(_status(NONE))
    buttons = [
        w.Button(description=text, tooltip=f"{question} {tip}")
        for text, tip in (("Move up", "The chosen one earlier"), ("Move down", "The chosen one later"),
                          ("That is my order", "Leave it as it is"))
    ]  # fmt: skip

    def move(steps: int) -> None:
        options, place = list(listed.options), listed.index or 0
        chosen, to = options.pop(place), min(max(place + steps, 0), len(items) - 1)
        options.insert(to, chosen)
        listed.options, listed.index = options, to
        _given[name] = BEFORE.join(options)
        said.value = _status(f"your order; {chosen} is number {to + 1}" if steps else "your order")

    for button, steps in zip(buttons, (-1, 1, 0), strict=True):
        button.on_click(lambda _, steps=steps: move(steps))
    head = w.HTML(f"<b>{question}</b>")
    show_widget(w.VBox([head, w.HBox([listed, w.VBox(buttons)]), said]), f"{question} [{' | '.join(items)}]")


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


def reveal_order(name: str, happened: Sequence[str]) -> None:
    """As ``reveal``, for an order; also how many pairs of the reader's order are as it was."""
    reveal(name, BEFORE.join(happened))
    if name in _given:
        pairs = list(combinations(_given[name].split(BEFORE), 2))
        right = sum(happened.index(one) < happened.index(other) for one, other in pairs)
        print(f"{right} of {len(pairs)} pairs are in the right order.")


def review() -> None:
    """All predictions of this notebook beside what happened."""
    for name, happened in _happened.items():
        print(f"{_questions.get(name, name)}\n  you: {_given.get(name, NONE)}\n  it was: {happened}")


def _status(text: str) -> str:
    return f'<span role="status">{text}</span>'


def _show_buttons(question: str, none: str, choices: Sequence[str]) -> w.ToggleButtons:
    buttons = w.ToggleButtons(options=[none, *choices], style={"button_width": "auto"})
    # the question is no label of the buttons for a screen reader, so each button says it too
    buttons.tooltips = [f"{question} {choice}" for choice in buttons.options]
    show_widget(w.VBox([w.HTML(f"<b>{question}</b>"), buttons]), f"{question} [{' | '.join(choices)}]")
    return buttons
