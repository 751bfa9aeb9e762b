"""The reader puts things in order before they are measured; an order that was not touched is no prediction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import ipywidgets as w

from lessons.check import predictions
from lessons.show.view import show_widget

BEFORE = " < "
"""Between the items of an order, as it is told."""

MOVES = (
    ("Move up", "The chosen one earlier.", -1),
    ("Move down", "The chosen one later.", 1),
    ("That is my order", "It is left as it is.", 0),
)
"""Of each button what is written on it, its tip, and by how many places it moves."""

_given: dict[str, list[str]] = {}


def arrange(name: str, question: str, items: Sequence[str]) -> None:
    """Show a list whose items can be moved; running the cell again starts anew.

    One item is chosen, with the arrow keys if need be, and buttons move it. The order that is offered becomes a
    prediction when anything is moved, or when the reader says that it is right as it stands.

    Args:
        name: the prediction's key.
        question: one or two short sentences that say what comes first.
        items: as they are offered.
    """
    predictions.put(name, question)
    _given.pop(name, None)
    listed = w.Select(options=list(items), rows=len(items), description="in order", tooltip=question)
    said = w.HTML(_status(predictions.NONE))

    def move(steps: int) -> None:
        order, place = list(listed.options), listed.index or 0
        chosen, to = order.pop(place), min(max(place + steps, 0), len(items) - 1)
        order.insert(to, chosen)
        listed.options, listed.index = order, to
        _given[name] = order
        predictions.commit(name, BEFORE.join(order))
        said.value = _status(f"your order; {chosen} is number {to + 1}" if steps else "your order")

    buttons = [w.Button(description=text, tooltip=f"{question} {tip}") for text, tip, _ in MOVES]
    for button, (_, _, steps) in zip(buttons, MOVES, strict=True):
        button.on_click(lambda _, steps=steps: move(steps))
    row = w.HBox([listed, w.VBox(buttons)])
    show_widget(w.VBox([w.HTML(f"<b>{question}</b>"), row, said]), f"{question} [{' | '.join(items)}]")


def reveal(name: str, happened: Sequence[str]) -> None:
    """Print the order beside the one that was found, and how many pairs of it are right; kept for the review."""
    predictions.reveal(name, BEFORE.join(happened))
    if name in _given:
        pairs = list(combinations(_given[name], 2))
        right = sum(happened.index(one) < happened.index(other) for one, other in pairs)
        print(f"{right} of {len(pairs)} pairs are in the right order.")


def _status(text: str) -> str:
    return f'<span role="status">{text}</span>'
