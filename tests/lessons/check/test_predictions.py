"""The reader commits to a prediction, and sees it beside what happened."""

from __future__ import annotations

from collections.abc import Iterator

import ipywidgets as w
import pytest

from lessons.check import predictions

CHOICES = ("sooner", "later")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Predictions live as long as the kernel: here, as long as a test."""
    stores = (predictions._given, predictions._happened, predictions._questions)
    for store in stores:
        store.clear()
    yield
    for store in stores:
        store.clear()


def asked(name: str = "drain", question: str = "When is it over?") -> w.ToggleButtons:
    """The buttons of a question."""
    known = set(w.widgets.widget._instances)
    predictions.ask(name, question, CHOICES)
    new = [widget for key, widget in w.widgets.widget._instances.items() if key not in known]
    (buttons,) = [widget for widget in new if isinstance(widget, w.ToggleButtons)]
    return buttons


def test_a_choice_is_shown_beside_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    """The last choice counts."""
    buttons = asked()
    buttons.value = "sooner"
    buttons.value = "later"
    predictions.reveal("drain", "later, by 3 s")
    assert capsys.readouterr().out.endswith("You said: later. It was: later, by 3 s.\n")


def test_not_to_predict_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the first choice, and what is said where nothing was chosen or asked."""
    assert asked().value == predictions.NONE
    predictions.reveal("drain", "later")
    predictions.reveal("never asked", "so")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "You said: not predicted. It was: later.",
        "You said: not predicted. It was: so.",
    ]


def test_asking_again_clears_the_choice(capsys: pytest.CaptureFixture[str]) -> None:
    """Running the cell again starts anew, and the buttons of before count no more once new ones were pressed."""
    asked().value = "sooner"
    asked()
    predictions.reveal("drain", "later")
    assert "You said: not predicted" in capsys.readouterr().out


def test_the_review_has_every_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    """Question, prediction and what happened, in the order they were revealed."""
    asked("a", "First?").value = "sooner"
    asked("b", "Second?")
    asked("c", "Never revealed?")
    predictions.reveal("a", "later")
    predictions.reveal("b", "sooner")
    capsys.readouterr()
    predictions.review()
    assert capsys.readouterr().out == (
        "First?\n  you: sooner\n  it was: later\nSecond?\n  you: not predicted\n  it was: sooner\n"
    )


def test_the_review_holds_what_was_never_asked() -> None:
    """A cell that was skipped is no error."""
    predictions.reveal("skipped", "later")
    predictions.review()


def test_each_button_says_the_question() -> None:
    """A screen reader reads buttons one by one."""
    buttons = asked()
    assert list(buttons.options) == [predictions.NONE, *CHOICES]
    assert all(tip.startswith("When is it over?") for tip in buttons.tooltips)


def test_what_was_seen_is_asked_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """It has buttons of its own, and is no prediction that a review would tell."""
    known = set(w.widgets.widget._instances)
    predictions.saw("What did you see?", CHOICES)
    new = [widget for key, widget in w.widgets.widget._instances.items() if key not in known]
    (buttons,) = [widget for widget in new if isinstance(widget, w.ToggleButtons)]
    assert buttons.options == ("not said", *CHOICES)
    buttons.value = "later"
    capsys.readouterr()
    predictions.review()
    assert capsys.readouterr().out == ""
