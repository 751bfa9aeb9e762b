"""``workbook compare``: theory, twin and the real system side by side."""

from __future__ import annotations

import random

import msgspec
import pytest

from lessons.check.gaps import gaps
from lessons.cli.compare import facts
from lessons.theory.prediction import KEYS
from tests.lessons.cli.command import Place
from tests.lessons.compared import CALM, GROWING, live, theory, twins

PARTS = {"theory", "no_theory", "twin", "live", "gaps", "finding", "picture"}
LOAD = ("--arrival-rate", "60", "--service-time", "0.1", "--workers", "3", "--duration", "3")


def test_the_facts_have_every_key_of_all_three() -> None:
    """Means over the seeds with their confidence, the same tape apart, and the live run with its books."""
    found = gaps(theory(CALM), *twins(CALM), live(CALM))
    said = msgspec.json.decode(msgspec.json.encode(facts(found, None)))
    assert said.keys() == PARTS
    for part in ("theory", "twin", "live"):
        assert said[part].keys() >= set(KEYS)
    assert said["twin"].keys() >= {f"{key}_ci95" for key in KEYS}
    assert said["twin"]["replications"] == len(found.tapes)
    assert said["twin"]["same_tape"].keys() == said["gaps"].keys() == set(KEYS)
    assert said["live"]["ledger"]["requests"] > 0
    gap = said["gaps"]["in_system"]
    assert gap["live"] == "agrees"
    assert gap["live_to_twin_percent"] == pytest.approx(
        100 * (said["live"]["in_system"] / found["in_system"].twin - 1)  # type: ignore[operator]
    )


def test_no_theory_is_null_with_its_reason() -> None:
    """No error: the other two are compared all the same."""
    said = facts(gaps(theory(GROWING), *twins(GROWING), live(GROWING)), None)
    assert said["theory"] is None
    assert "at most" in said["no_theory"]
    assert said["gaps"]["in_system"]["twin_to_theory_percent"] is None
    assert said["gaps"]["in_system"]["live"] == "agrees"


@pytest.mark.live
def test_the_real_system_is_compared_and_its_picture_kept(place: Place) -> None:
    """In JSON for machines; the twin met as many requests as the live system did."""
    out, seed = place.base / "out", random.randrange(10**6)
    options = ("--limit", "12", "--seed", str(seed), "--replications", "4", "--out", str(out))
    answer = place.run("compare", *LOAD, *options, "--json")
    assert answer.code in (0, 1), answer.err
    said = answer.json
    assert said.keys() == PARTS, answer.err
    assert said["theory"]["model"] == "M/M/3/12"
    assert said["live"]["source"] == "live"
    assert set(said["live"]["invariants"].values()) == {True}
    assert answer.code == (0 if said["live"]["valid"] else 1)
    assert said["twin"]["same_tape"]["offered_utilization"] == pytest.approx(
        said["live"]["offered_utilization"], rel=0.1
    )
    assert said["live"]["overhead_s"] > 0
    assert said["live"]["overhead_in_run_s"] > 0
    assert said["gaps"]["sojourn_s"]["machine_spread_percent"] > 0
    assert said["gaps"]["sojourn_s"]["luck_spread_percent"] > 0
    assert (out / "compare.png").read_bytes().startswith(b"\x89PNG")
    again = place.run("replay", str(out / "run"), "--json").json
    assert again["throughput"] == said["live"]["throughput"]
    assert place.run("compare", *LOAD, "--out", str(out)).code == 2  # no longer empty


@pytest.mark.live
def test_people_read_a_table_also_where_no_theory_is(place: Place) -> None:
    """Without a limit this load grows for ever: a line says why, and the table has the other two."""
    answer = place.run("compare", *LOAD, "--duration", "2", "--replications", "3")
    assert answer.code in (0, 1), answer.err
    assert "No theory: arrival_rate = 60 per second" in answer.out
    assert "jobs in the system" in answer.out
    assert "✓ every request ended in exactly one way" in answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("bad", ["0", "1.5"])
def test_a_bad_number_of_replications_is_named_before_anything_starts(place: Place, bad: str) -> None:
    """With its bound and a remedy; exit code 2."""
    answer = place.run("compare", f"--replications={bad}")
    assert answer.code == 2
    assert f"replications = {bad}: must be a whole number at least 1" in answer.err
    assert answer.out == ""
