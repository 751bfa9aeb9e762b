"""``workbook lab`` and ``workbook --help``."""

from __future__ import annotations

import pytest

from lessons.cli import main
from tests.lessons.cli.command import Place

VERBS = ("lab", "doctor", "demo", "run", "predict", "serve", "worker", "replay", "backoff", "bench", "export")


def test_options_are_handed_to_jupyterlab(place: Place) -> None:
    """This process becomes JupyterLab, which gets what the workbook does not know."""
    answer = place.run("lab", "--version")
    assert answer.code == 0, answer.err
    assert answer.out.strip()[0].isdigit()


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the command itself names them all."""
    with pytest.raises(SystemExit) as caught:
        main([*verb.split(), "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: workbook {verb}".rstrip())
    assert all(f"    {name} " in told for name in VERBS if not verb)
