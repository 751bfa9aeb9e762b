"""The reader puts things in order, and sees how many pairs were right."""

from __future__ import annotations

import ipywidgets as w
import pytest

from lessons.check import ordering

ITEMS = ("ship", "snail", "light")


def arranged() -> tuple[w.Select, list[w.Button]]:
    """The list and the buttons of a question about an order."""
    known = set(w.widgets.widget._instances)
    ordering.arrange("speed", "The slowest on top.", ITEMS)
    new = [widget for key, widget in w.widgets.widget._instances.items() if key not in known]
    (listed,) = [widget for widget in new if isinstance(widget, w.Select)]
    return listed, [widget for widget in new if isinstance(widget, w.Button)]


def test_an_order_is_made_by_moving_what_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    """The chosen one goes up or down, stays chosen, and does not leave the list; pairs are counted."""
    listed, (up, down, _) = arranged()
    listed.value = "snail"
    for _ in range(3):
        up.click()
    assert listed.value == "snail"
    assert listed.options == ("snail", "ship", "light")
    ordering.reveal("speed", ["snail", "ship", "light"])
    down.click()
    ordering.reveal("speed", ["snail", "ship", "light"])
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "You said: snail < ship < light. It was: snail < ship < light.",
        "3 of 3 pairs are in the right order.",
        "You said: ship < snail < light. It was: snail < ship < light.",
        "2 of 3 pairs are in the right order.",
    ]


def test_an_order_that_was_not_touched_is_no_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless its reader says that it is one."""
    _, (_, _, as_it_is) = arranged()
    ordering.reveal("speed", ["snail", "ship", "light"])
    assert capsys.readouterr().out.endswith("You said: not predicted. It was: snail < ship < light.\n")
    as_it_is.click()
    ordering.reveal("speed", ["snail", "ship", "light"])
    assert "You said: ship < snail < light." in capsys.readouterr().out


def test_buttons_of_an_order_say_the_question() -> None:
    """A screen reader reads them one by one."""
    listed, buttons = arranged()
    assert listed.rows == len(ITEMS)
    assert all(button.tooltip.startswith("The slowest on top.") for button in buttons)
