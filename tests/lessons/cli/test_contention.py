"""``workbook contention``."""

from __future__ import annotations

import json

import pytest

from lessons.cli import main
from lessons.contention import WAITS, Contention, contend
from tests.lessons.cli.test_options import MESSAGE


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Standard output of a command that ends well and says nothing else."""
    assert main(["contention", *arguments]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


@pytest.mark.parametrize("policy", WAITS)
def test_machines_get_the_findings(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What ``contend`` finds, under the keys of every command with replications."""
    found = json.loads(told(capsys, "--clients", "12", "--policy", policy, "--seeds", "4", "--json"))
    assert list(found) == ["policy", "clients", "seeds", "calls", "finish_time", "calls_ci95", "finish_time_ci95"]
    setting = Contention(clients=12, policy=policy)  # type: ignore[arg-type]  # one of WAITS
    assert found == {"policy": policy, "clients": 12, "seeds": 4, **contend(setting, 4).to_dict()}


def test_base_and_cap_are_the_policys(capsys: pytest.CaptureFixture[str]) -> None:
    """With a longer base the clients part sooner; a tiny cap takes the backoff away."""
    arguments = ("--clients", "30", "--seeds", "4", "--policy", "full", "--json")
    usual = json.loads(told(capsys, *arguments))["calls"]
    assert json.loads(told(capsys, *arguments, "--base", "100"))["calls"] < usual
    assert json.loads(told(capsys, *arguments, "--cap", "0.001"))["calls"] > usual


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """With half intervals where there is more than one seed."""
    many = told(capsys, "--clients", "5", "--seeds", "3")
    assert "full: 5 clients, 3 seeds" in many
    assert many.count("±") == 2
    assert "ticks" in many
    assert "±" not in told(capsys, "--clients", "5", "--seeds", "1")


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("--policy", "brave"), "policy", "'brave'"),
        (("--clients", "0"), "clients", "0"),
        (("--clients", "many"), "clients", "'many'"),
        (("--clients", "1001"), "clients", "1001"),
        (("--seeds", "0"), "seeds", "0"),
        (("--seeds", "2.5"), "seeds", "2.5"),
        (("--base", "0"), "base_ticks", "0"),
        (("--base", "nan"), "base_ticks", "'nan'"),
        (("--cap", "-1"), "cap_ticks", "-1"),
    ],
)
def test_a_bad_value_is_told(
    arguments: tuple[str, str], name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and one line with name, value, bound and remedy."""
    assert main(["contention", f"{arguments[0]}={arguments[1]}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    found = MESSAGE.fullmatch(said.err)
    assert found, said.err
    assert (found["name"], found["value"]) == (name, value)
