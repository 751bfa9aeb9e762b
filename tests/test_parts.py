"""Each test is in exactly one of the three parts that ``make test`` runs, whatever its marks are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MARKS = {
    "pure": [(), ("slow",)],
    "live": [("live",), ("live", "slow")],
    "alone": [("faults",), ("browser", "live"), ("notebooks", "slow"), ("install",), ("timed",), ("live", "timed")],
}


def name(marks: tuple[str, ...]) -> str:
    """Of the test with these marks."""
    return "_".join(("test", *marks))


@pytest.mark.parametrize("part", MARKS)
def test_a_part_has_the_tests_of_its_marks(part: str, tmp_path: Path) -> None:
    """And no others."""
    shutil.copy(ROOT / "pytest.ini", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    lines = ["import pytest"]
    for marks in (marks for some in MARKS.values() for marks in some):
        lines += [f"@pytest.mark.{mark}" for mark in marks] + [f"def {name(marks)}(): pass"]
    (tmp_path / "tests" / "test_some.py").write_text("\n".join(lines))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "--part", part]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert sorted(re.findall(r"::(\w+)", done.stdout)) == sorted(map(name, MARKS[part])), done.stdout + done.stderr


def test_the_makefile_runs_all_parts() -> None:
    """One after the other."""
    assert re.findall(r"--part (\w+)", (ROOT / "Makefile").read_text()) == list(MARKS)
