"""A simulated kill leaves a function wherever it is, and the function is called again."""

from __future__ import annotations

import pytest

from lessons.check.kills import Killed, call_until_done


def test_a_killed_function_is_called_again_until_it_is_done() -> None:
    """A handler for ordinary errors does not hear of its death, as it would not of a SIGKILL."""
    calls: list[str] = []

    def play() -> str:
        calls.append("begun")
        try:
            if len(calls) < 3:
                raise Killed
        except Exception:
            calls.append("caught")
        return f"done in call {len(calls)}"

    assert call_until_done(play) == "done in call 3"


def test_a_mistake_is_no_kill() -> None:
    """It comes out as it is, at once."""

    def mistaken() -> None:
        raise ValueError("a typing error")

    with pytest.raises(ValueError, match="a typing error"):
        call_until_done(mistaken)
