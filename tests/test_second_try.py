"""A failed test that shares a noisy machine has one more try, and it is told; a pure test has none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import time
from pathlib import Path

import pytest
import pytest_asyncio

PLACE = Path(__file__).with_name("said")


def say(word):
    with PLACE.open("a") as place:
        print(word, file=place)
    return PLACE.read_text().split().count(word)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server():
    say("start")
    yield "up"
    say("stop")


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_fails_once(server):
    assert server == "up"
    assert say("fails_once") == 2, "the noise of the machine"


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_fails_always(server):
    assert server == "up"
    assert not say("fails_always")


@pytest.mark.live
@pytest.mark.timeout(0.5)
def test_hangs():
    say("hangs")
    while True:
        time.sleep(0.01)


def test_pure():
    assert say("pure") == 2
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Counter[str]]:
    """What pytest prints with our settings, and how often each of the tests and their server was begun."""
    place = tmp_path_factory.mktemp("second-try")
    shutil.copy(ROOT / "pytest.ini", place)
    (place / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", place / "tests")
    (place / "tests" / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, Counter((place / "tests" / "said").read_text().split())


def test_who_fails_once_passes_and_is_named_with_the_traceback(run: tuple[str, Counter[str]]) -> None:
    """The module's server is the same one for both tries."""
    told, said = run
    assert said["fails_once"] == 2
    assert said["start"] == said["stop"] == 1
    assert "FAILED tests/test_some.py::test_fails_once" not in told
    _, summary = told.split("rerun test summary info")
    assert "RERUN tests/test_some.py::test_fails_once" in summary
    assert "the noise of the machine" in summary


@pytest.mark.parametrize(("name", "tries"), [("fails_always", 2), ("hangs", 1), ("pure", 1)])
def test_who_fails_twice_or_is_pure_or_hangs_has_failed(run: tuple[str, Counter[str]], name: str, tries: int) -> None:
    """A second try hides no defect."""
    told, said = run
    assert said[name] == tries
    assert f"FAILED tests/test_some.py::test_{name}" in told
    assert "3 failed, 1 passed, 2 rerun" in told
