"""``workbook demo``, once and whole: it is the picture of the README."""

from __future__ import annotations

import time

import pytest
from PIL import Image

from demo_workers.records.run import Run
from tests.lessons.cli.command import Place
from tests.patience import patience

pytestmark = [pytest.mark.live, pytest.mark.timed, pytest.mark.slow, pytest.mark.timeout(240)]

MOST_S = 60.0


def test_the_same_spike_collapses_without_a_limit_and_not_with_one(place: Place) -> None:
    """Before it nearly all posts are in time; after it nearly none, and with the limit nearly all again."""
    out = place.base / "out" / "demo"
    for _ in range(2):  # a run that other work has disturbed says so, and is made again over the old one
        began = time.monotonic()
        answer = place.run("demo", "--json", "--out", str(out), timeout_s=110)
        took_s = time.monotonic() - began
        place.assert_nothing_left()
        if answer.json["valid"]:
            break
    found = answer.json
    said = answer.out + answer.err
    assert answer.code == 0, said
    assert found["collapsed"], said
    assert found["rescued"], said
    assert found["balanced"], said
    assert took_s < patience(MOST_S)
    for name in ("without", "with"):
        assert set(found["invariants"][name].values()) == {True}
        assert len(found["invariants"][name]) == 16
        assert Run.load(out / name).ledger.invariants == found["invariants"][name]
    assert Run.load(out / "without").scenario.replace("admission.limit", 16) == Run.load(out / "with").scenario
    assert "without a limit" in found["sentence"]
    assert found["picture"] == str(out / "demo.png")
    with Image.open(out / "demo.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        colours = picture.convert("RGB").getcolors(1 << 20)
        assert colours is not None
        assert len(colours) > 100  # curves and letters, not an empty sheet
    assert "Traceback" not in answer.err
