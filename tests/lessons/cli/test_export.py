"""``workbook export``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from demo_workers.records.directory import RunDirectory
from demo_workers.records.events import EVENT
from lessons.cli import main
from tests.demo_workers.records import books


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A run directory with the hand-written run."""
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_manifest({"scenario": books.scenario().to_dict(), "ended_by": ""})
    np.array(books.rows(), EVENT).tofile(directory.clients)
    return directory.path


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_run_becomes_files(recorded: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer names each of them, and all are there."""
    out = tmp_path / "new" / "place"
    assert main(["export", str(recorded), "--format", form, "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == str(recorded)
    assert {Path(file).name for file in found["files"]} == {
        *(f"{name}.{form}" for name in ("attempts", "executions", "steering")),
        "scenario.toml",
        "manifest.json",
    }
    assert sorted(map(str, out.iterdir())) == sorted(found["files"])


def test_without_out_the_files_go_where_it_says(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of the run's name under out/export; never over files that are there."""
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(recorded)]) == 0
    assert all(Path(line).exists() for line in capsys.readouterr().out.splitlines())
    assert (tmp_path / "out" / "export" / "run" / "attempts.csv").exists()
    assert main(["export", str(recorded)]) == 2
    assert "new or empty" in capsys.readouterr().err


def test_bad_input_is_told_with_its_bound(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A format, a run and a place that cannot be: exit code 2, and nothing was made."""
    out = tmp_path / "out"
    for arguments, named in (
        ([str(recorded), "--format", "xlsx", "--out", str(out)], ("format = 'xlsx'", "csv, parquet")),
        ([str(tmp_path / "nowhere"), "--out", str(out)], ("nowhere", "a run directory")),
        ([str(recorded), "--out", str(recorded)], ("--out", "new or empty")),
    ):
        assert main(["export", *arguments]) == 2
        said = capsys.readouterr().err
        assert all(words in said for words in named), said
        assert not out.exists()


def test_a_run_that_cannot_be_read_is_told(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest of another kind is bad input, not a traceback."""
    (recorded / "manifest.json").write_text("[1]")
    assert main(["export", str(recorded), "--out", str(recorded.parent / "out")]) == 2
    assert "can read" in capsys.readouterr().err
