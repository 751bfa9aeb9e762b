"""Compiled code: its wait is told, it is kept in one place, and nobody waits for it where plain Python does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import demo_workers
import lessons
from lessons.twin import compiling

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLAY = """
import json, sys, time, warnings
from demo_workers.scenario import Load, Scenario
from lessons.twin import replicate, simulate
engine, seconds, runs = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
told, found = [], None
scenario = Scenario(load=Load(arrival_rate=40, duration_s=seconds))
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    found = replicate(scenario, runs, engine=engine, compiling=lambda done, of: told.append((done, of)))
print(json.dumps({
    "told": told, "numba": "numba" in sys.modules, "warned": [str(one.message) for one in warned],
    "measures": found.measures[0].to_dict(),
}))
"""


def played(cache: Path, engine: str = "plain", seconds: float = 5.0, runs: int = 1) -> Any:
    """What a fresh process with this cache directory says."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PLAY, engine, str(seconds), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=140)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_the_sources() -> list[Path]:
    """Compiled code beside the sources, where it must never be."""
    tops = [Path(path) for package in (demo_workers, lessons) for path in package.__path__]
    return [path for top in tops for path in top.rglob("*.nb[ic]")]


def test_the_wait_is_told_once_and_the_code_is_kept(tmp_path: Path) -> None:
    """The first process hears of each function, the second of none; both say the same; the sources' folders stay clean,
    and old directories of compiled code go.
    """
    old = tmp_path / "asynchronism-workbook"
    for n in range(compiling.KEPT + 2):
        (old / f"twin-{n}" / "sub").mkdir(parents=True)
        os.utime(old / f"twin-{n}", (n, n))
    cold, warm = played(tmp_path), played(tmp_path)
    starts = [(done, of) for done, of in cold["told"] if done == 0]
    ends = [(done, of) for done, of in cold["told"] if done == of]
    assert len(starts) == len(ends) >= 1
    assert [done for done, _ in cold["told"][:3]] == [0, 1, 2]
    assert warm["told"] == []
    assert cold["measures"] == warm["measures"]
    assert cold["warned"] == warm["warned"] == []
    assert in_the_sources() == []
    left = sorted(path.name for path in old.iterdir())
    assert len(left) == compiling.KEPT
    assert "twin-0" not in left
    assert f"twin-{compiling.KEPT + 1}" in left


def test_a_cache_that_cannot_be_written_is_told_and_does_without(tmp_path: Path) -> None:
    """The run is the same; the warning names the place and the remedy, once; nothing is written elsewhere instead."""
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    found = played(blocked)
    (warning,) = found["warned"]
    assert str(blocked) in warning
    assert "XDG_CACHE_HOME" in warning
    assert found["told"]
    assert in_the_sources() == []
    assert found["measures"] == played(tmp_path, "python")["measures"]


def test_small_loads_never_meet_the_compiler(tmp_path: Path) -> None:
    """Left to itself the twin plays a lesson's load in plain Python, without even importing the compiler."""
    found = played(tmp_path, "auto", seconds=10, runs=5)
    assert not found["numba"]
    assert found["told"] == []
    assert not (tmp_path / "asynchronism-workbook").exists()
