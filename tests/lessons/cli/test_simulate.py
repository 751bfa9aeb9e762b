"""``workbook simulate``: the names of a run with their confidence, nothing started, exit codes that mean something."""

from __future__ import annotations

import json

import pytest

from demo_workers.scenario import Scenario
from lessons.cli import main
from lessons.theory.prediction import KEYS
from lessons.twin import Overheads, replicate

SHORT = ["simulate", "--duration", "5", "--replications", "3"]


def test_json_is_what_replicate_gives(capsys: pytest.CaptureFixture[str]) -> None:
    """Options make the scenario; one line with the shared keys and their half-widths; exit code 0."""
    arguments = ["--arrival-rate", "60", "--limit", "9", "--overhead-before", "0.003", "--overhead-after", "0.001"]
    assert main([*SHORT, *arguments, "--json"]) == 0
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    found = json.loads(line)
    scenario = Scenario().steered(arrival_rate=60, limit=9).replace("load.duration_s", 5.0)
    wanted = replicate(scenario, 3, overheads=Overheads(before_s=0.003, after_s=0.001))
    assert {key: found[key] for key in KEYS} == {key: wanted.mean(key) for key in KEYS}
    assert {key: found[f"{key}_ci95"] for key in KEYS} == {key: wanted.ci95(key) for key in KEYS}
    assert found["replications"] == 3
    assert all(found["invariants"].values())
    assert told.err == ""


def test_same_seed_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte; another seed is another line."""
    lines = []
    for seed in ("3", "3", "4"):
        assert main([*SHORT, "--seed", seed, "--json"]) == 0
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1] != lines[2]


def test_people_read_each_mean_with_its_confidence(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that apply, with ±; one replication has none."""
    assert main(SHORT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("the twin, 3 replications")
    assert [line.split()[2] for line in lines if line.startswith("throughput")] == ["±"]
    assert main([*SHORT, "--replications", "1"]) == 0
    assert "±" not in capsys.readouterr().out


def test_books_that_do_not_balance_are_a_failed_check(capsys: pytest.CaptureFixture[str]) -> None:
    """``naive`` lets in more than the limit: exit code 1, and the line is named."""
    assert main([*SHORT, "--arrival-rate", "2000", "--limit", "5", "--set", "admission.policy=naive"]) == 1
    assert "✗ limit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--replications", "0"], "replications"),
        (["--replications", "many"], "replications"),
        (["--replications", "2.5"], "replications"),
        (["--overhead-before", "x"], "--overhead-before"),
        (["--overhead-after", "-0.1"], "overhead_after_s"),
        (["--limit", "0"], "admission.limit"),
    ],
)
def test_bad_input_is_told(arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Name and remedy, exit code 2."""
    assert main([*SHORT, *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"workbook: {name} = ")


def test_a_policy_of_a_reader_s_own_cannot_come_by_option(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said where it belongs; exit code 1."""
    assert main([*SHORT, "--set", "retry.policy=custom"]) == 1
    assert "retry.policy = 'custom': must come with a function" in capsys.readouterr().err
