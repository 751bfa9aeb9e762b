"""``workbook predict``: the same names as a run, nothing started, and exit codes that mean something."""

from __future__ import annotations

import json

import pytest

from demo_workers.scenario import Scenario
from lessons.cli import main
from lessons.theory import predict


def test_json_is_the_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    """Options make the scenario; one line; exit code 0."""
    wanted = predict(Scenario().replace("load.arrival_rate", 60).replace("admission.limit", 9)).to_dict()
    assert main(["predict", "--arrival-rate", "60", "--limit", "9", "--json"]) == 0
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    assert json.loads(line) == wanted
    assert told.err == ""


def test_people_read_the_model_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Then what is approximate, then the numbers that apply."""
    arguments = ["--overhead-before", "0.003", "--overhead-after", "0.001", "--set", "admission.policy=lifo"]
    assert main(["predict", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("M/M/3: Random arrivals")
    assert any(line.startswith("approximate: RQ's own 4 ms") for line in lines)
    assert [line.split()[0] for line in lines if line.startswith("wait_s")] == ["wait_s"]
    assert not any("sojourn_p99_s" in line for line in lines)


def test_an_unstable_queue_is_a_failed_check(capsys: pytest.CaptureFixture[str]) -> None:
    """What is known goes to standard error, with the remedy; exit code 1."""
    assert main(["predict", "--arrival-rate", "70", "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "grows by 10 jobs per second" in told.err
    assert "at least 4 workers, or a limit" in told.err


def test_a_changing_load_is_predicted_by_the_stretch(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a rate it is bad input, with one it is a prediction."""
    spike = ["predict", "--set", "load.kind=spike", "--json"]
    assert main(spike) == 2
    assert "40, 90 per second" in capsys.readouterr().err
    assert main([*spike, "--limit", "9", "--at-rate", "90"]) == 0
    assert json.loads(capsys.readouterr().out)["offered_utilization"] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--at-rate", "many"], "--at-rate"),
        (["--at-rate", "true"], "--at-rate"),
        (["--at-rate", "-1"], "arrival_rate"),
        (["--overhead-before", "x"], "--overhead-before"),
        (["--overhead-after", "-0.1"], "overhead_after_s"),
        (["--workers", "0"], "service.workers"),
        (["--limit", "0"], "admission.limit"),
    ],
)
def test_bad_input_is_told(arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Name and remedy, exit code 2."""
    assert main(["predict", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"workbook: {name} = ")
