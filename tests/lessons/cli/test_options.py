"""What the options mean, and what is said about those that mean nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo_workers.scenario import Scenario
from lessons.cli import main, parser
from lessons.cli.options import scenario_of

MESSAGE = re.compile(r"workbook: (?P<name>\S+) = (?P<value>.*): must be (?P<bound>.*?)\. (?P<remedy>[A-Z0-9].*)\n")


def scenario(*arguments: str) -> Scenario:
    """The scenario that ``run`` would play."""
    return scenario_of(parser().parse_args(["run", *arguments]))


def test_without_options_it_is_the_default_scenario() -> None:
    """And the same for serve."""
    assert scenario() == scenario_of(parser().parse_args(["serve"])) == Scenario()


def test_short_options_are_fields_of_the_scenario() -> None:
    """Each sets the field that its help names."""
    found = scenario(
        *("--arrival-rate", "60.5", "--service-time", "0.1", "--workers", "2"),
        *("--limit", "12", "--duration", "15", "--seed", "11"),
    )
    assert (found.load.arrival_rate, found.service.service_time_s, found.service.workers) == (60.5, 0.1, 2)
    assert (found.admission.limit, found.load.duration_s, found.seed) == (12, 15, 11)
    assert scenario("--limit", "none") == Scenario()


def test_a_file_is_where_options_start_from(tmp_path: Path) -> None:
    """Short options go over the file, ``--set`` over both, the last one wins."""
    path = tmp_path / "some.toml"
    text = '[load]\narrival_rate = 5\nduration_s = 3\n[admission]\nlimit = "none"\n[retry]\npolicy = "none"\n'
    path.write_text("# Grüße\n" + text, encoding="utf-8")
    found = scenario(
        *("--scenario", str(path), "--duration", "4"),
        *("--set", "load.duration_s=6", "--set", "load.clients=7", "--set", "load.duration_s=8"),
    )
    assert (found.load.arrival_rate, found.load.duration_s, found.load.clients) == (5, 8, 7)
    assert found.admission.limit is None
    assert found.retry.policy == "none"


def test_a_file_that_workbook_wrote_is_read_again(tmp_path: Path) -> None:
    """What ``to_toml`` writes is what ``--scenario`` reads."""
    wanted = Scenario().replace("admission.limit", 5).replace("retry.timeout_s", 2.5)
    path = tmp_path / "some.toml"
    path.write_text(wanted.to_toml())
    assert scenario("--scenario", str(path)) == wanted


@pytest.mark.parametrize("turned", [False, True])
def test_settings_that_are_right_only_together_may_come_in_any_order(turned: bool) -> None:
    """Steps and their kind; a warm-up and the run it is shorter than."""
    for pair in (
        ["load.kind=steps", "load.steps=[[0, 40], [5, 80]]"],
        ["warmup_s=20", "load.duration_s=60"],
    ):
        first, second = reversed(pair) if turned else pair
        found = scenario("--set", first, "--set", second)
        assert found.load.steps in ((), ((0, 40), (5, 80)))
        assert found.warmup_s in (None, 20)


BAD = [
    (["--arrival-rate", "-1"], "load.arrival_rate", "-1"),
    (["--arrival-rate", "2001"], "load.arrival_rate", "2001"),
    (["--arrival-rate", "nan"], "load.arrival_rate", "'nan'"),
    (["--arrival-rate", "inf"], "load.arrival_rate", "'inf'"),
    (["--arrival-rate", "1e999"], "load.arrival_rate", "'1e999'"),
    (["--arrival-rate", "fast"], "load.arrival_rate", "'fast'"),
    (["--arrival-rate", ""], "load.arrival_rate", "''"),
    (["--service-time", "0"], "service.service_time_s", "0"),
    (["--service-time", "61"], "service.service_time_s", "61"),
    (["--workers", "-1"], "service.workers", "-1"),
    (["--workers", "65"], "service.workers", "65"),
    (["--workers", "2.5"], "service.workers", "2.5"),
    (["--workers", "true"], "service.workers", "True"),
    (["--limit", "0"], "admission.limit", "0"),
    (["--limit", "-3"], "admission.limit", "-3"),
    (["--limit", "many"], "admission.limit", "'many'"),
    (["--duration", "0"], "load.duration_s", "0"),
    (["--duration", "3601"], "load.duration_s", "3601"),
    (["--duration", "none"], "load.duration_s", "None"),
    (["--seed", "-1"], "seed", "-1"),
    (["--seed", "1.5"], "seed", "1.5"),
    (["--seed", "9" * 30], "seed", "9" * 30),
    (["--set", "limit"], "--set", "'limit'"),
    (["--set", "admission.limits=3"], "admission.limits", "'3'"),
    (["--set", "admission=3"], "admission", "'3'"),
    (["--set", "=3"], "", "'3'"),
    (["--set", "admission.policy=maybe"], "admission.policy", "'maybe'"),
    (["--set", "retry.honour_retry_after=1"], "retry.honour_retry_after", "1"),
    (["--set", "load.kind=steps"], "load.steps", "()"),
    (["--set", "load.steps=[[5, 1], [0, 1]]"], "load.steps", "[[5, 1], [0, 1]]"),
    (["--set", "load.steps=[[1, 2, 3]]"], "load.steps", "[[1, 2, 3]]"),
    (["--set", "warmup_s=10"], "warmup_s", "10"),
    (["--scenario", os.sep + "no-such-file"], "--scenario", repr(os.sep + "no-such-file")),
    (["--scenario", os.sep], "--scenario", repr(os.sep)),
]


@pytest.mark.parametrize(("arguments", "name", "value"), BAD, ids=lambda part: " ".join(part)[:40])
@pytest.mark.parametrize("verb", ["run", "serve"])
def test_a_bad_value_is_told_with_bound_and_remedy(
    verb: str, arguments: list[str], name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error: name, value, bound, remedy; exit code 2; nothing is started."""
    assert main([verb, *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    if name:
        found = MESSAGE.fullmatch(said.err)
        assert found, said.err
        assert (found["name"], found["value"]) == (name, value)


@pytest.mark.parametrize(
    "text",
    [b"load = 1", b"x = [", b"[load]\nspeed = 1", b'[load]\narrival_rate = "fast"', b"\xff\xfe", b"[[load]]"],
)
def test_a_bad_file_is_told(text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No TOML, no text at all, or fields that do not exist."""
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    assert main(["run", "--scenario", str(path)]) == 2
    assert MESSAGE.fullmatch(capsys.readouterr().err)


@pytest.mark.parametrize("port", ["x", "-1", "65536", "", "1.5", "²", "9" * 5000])
def test_a_bad_port_is_told(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no port number is refused before anything is started."""
    assert main(["serve", f"--port={port}"]) == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_an_output_directory_that_cannot_be_is_told(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file is in the way; it stays as it is."""
    path = tmp_path / "file"
    path.write_text("precious")
    assert main([verb, "--out", str(path)]) == 2
    assert MESSAGE.fullmatch(capsys.readouterr().err)
    assert path.read_text() == "precious"


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_nothing_of_others_is_overwritten(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even where the demo wants to have its own directory."""
    precious = tmp_path / "with" / "file"
    precious.parent.mkdir()
    precious.write_text("precious")
    assert main([verb, "--out", str(tmp_path)]) == 2
    found = MESSAGE.fullmatch(capsys.readouterr().err)
    assert found
    assert (found["name"], found["bound"]) == ("--out", "a new or empty directory")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("manifest", [None, "", "{", "{}", "[]", '{"scenario": 1}', '{"scenario": {"load": {"x": 1}}}'])
def test_a_directory_that_is_no_run_is_told(
    manifest: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other programs have files called manifest.json too."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert main(["replay", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("workbook: ")


@pytest.mark.parametrize(
    "arguments", [[], ["frobnicate"], ["run", "--frob"], ["run", "more"], ["run", "--limit"], ["demo", "--limit", "3"]]
)
def test_an_unknown_verb_or_option_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """By argparse, with exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: workbook" in capsys.readouterr().err


HEAVY = ("matplotlib", "rq", "numba", "ipywidgets", "boto3", "pika")


@pytest.mark.parametrize(("module", "loads"), [("lessons.cli", False), ("lessons.cli.compare", True)])
def test_no_verb_waits_for_the_libraries_of_another(module: str, loads: bool) -> None:
    """The command itself loads none of the heavy ones; the verb that draws loads what draws, so this can fail."""
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert bool(answer.stdout.split()) is loads
