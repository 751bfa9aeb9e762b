"""``workbook backoff``."""

from __future__ import annotations

import json

import pytest

from lessons.cli import main
from tests.lessons.cli.test_options import MESSAGE


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Standard output of a command that ends well and says nothing else."""
    assert main(["backoff", *arguments]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_there_is_a_row_for_each_retry(capsys: pytest.CaptureFixture[str]) -> None:
    """Eight attempts are seven retries, in seconds, with these keys."""
    out = told(capsys, "--policy", "full", "--base", "0.1", "--cap", "3", "--attempts", "8", "--json")
    rows = json.loads(out)["retries"]
    assert [row["retry"] for row in rows] == list(range(1, 8))
    assert all(list(row) == ["retry", "min", "max", "mean", "variance"] for row in rows)
    assert [row["max"] for row in rows] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3, 3])
    assert [row["mean"] for row in rows] == pytest.approx([row["max"] / 2 for row in rows])
    assert [row["variance"] for row in rows] == pytest.approx([row["max"] ** 2 / 12 for row in rows])


def test_the_defaults_are_those_of_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    """Full jitter from 0.1 to 10 seconds; only the attempts are more."""
    assert told(capsys, "--json") == told(
        capsys, "--json", "--policy", "full", "--base", "0.1", "--cap", "10", "--attempts", "8"
    )


@pytest.mark.parametrize(
    "arguments", [("--policy", "none"), ("--attempts", "1"), ("--policy", "decorrelated", "--attempts", "1")]
)
def test_without_a_retry_the_list_is_empty(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """For machines; people read a sentence."""
    assert json.loads(told(capsys, *arguments, "--json")) == {"retries": []}
    assert "no retry" in told(capsys, *arguments)


def test_people_see_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With its numbers and a unit."""
    out = told(capsys, "--policy", "equal", "--base", "0.5", "--cap", "30", "--attempts", "3")
    assert "equal: seconds before each retry" in out
    assert "0.375" in out  # the mean of the first


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("--policy", "custom"), "retry.policy", "'custom'"),
        (("--policy", "brave"), "retry.policy", "'brave'"),
        (("--base", "0"), "retry.base_s", "0"),
        (("--base", "nan"), "retry.base_s", "'nan'"),
        (("--base", "601"), "retry.base_s", "601"),
        (("--cap", "-1"), "retry.cap_s", "-1"),
        (("--cap", "soon"), "retry.cap_s", "'soon'"),
        (("--attempts", "0"), "retry.attempts", "0"),
        (("--attempts", "2.5"), "retry.attempts", "2.5"),
        (("--attempts", "101"), "retry.attempts", "101"),
    ],
)
def test_a_bad_value_is_told(
    arguments: tuple[str, str], name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and one line with name, value, bound and remedy; ``custom`` is refused, since a cell decides."""
    assert main(["backoff", f"{arguments[0]}={arguments[1]}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    found = MESSAGE.fullmatch(said.err)
    assert found, said.err
    assert (found["name"], found["value"]) == (name, value)
