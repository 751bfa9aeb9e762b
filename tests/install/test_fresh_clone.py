"""From a fresh clone in an empty folder to a running system, with Python, git and make and nothing of ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import patience

ROOT = Path(__file__).parents[2]
INSTALL_S = 540
SECOND_START_S = 5.0
MACHINE = ("PATH", "LANG", "LC_ALL", "TMPDIR", "CI", "PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Variables, or their beginnings, that say how this machine reaches a package index, and nothing about us."""

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.timeout(INSTALL_S + 60)]
Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment(home: Path) -> dict[str, str]:
    """The environment of a new user of this machine; pip's cache and configuration are the machine's."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(MACHINE)}
    cache = Path(os.environ.get("PIP_CACHE_DIR", Path.home() / ".cache" / "pip"))
    if cache.is_dir():
        kept["PIP_CACHE_DIR"] = str(cache)
    settings = Path.home() / ".config" / "pip" / "pip.conf"
    if settings.is_file():
        kept.setdefault("PIP_CONFIG_FILE", str(settings))
    inside = str(Path(sys.prefix) / "bin")
    kept["PATH"] = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != inside)
    return {**kept, "HOME": str(home)}


def base_python() -> str:
    """The interpreter that this environment was made from, because a new user has no environment."""
    return str(getattr(sys, "_base_executable", sys.executable))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A clone of the last commit; calls run a command in it as a new user would."""
    if subprocess.run(["git", "rev-parse", "--verify", "-q", "HEAD"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("no commit to clone: the repository is empty, or this is a copy without git")
    home, clone = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("empty") / "workbook"
    environment = clean_environment(home)
    # A checkout may belong to another user than the one who runs the tests, as on many CI machines.
    (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")

    def call(*command: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        folder = clone if clone.exists() else clone.parent
        result = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout_s,
        )  # fmt: skip
        assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
        return result

    call("git", "clone", "--quiet", str(ROOT), str(clone))
    call("make", "setup", f"PYTHON={base_python()}", timeout_s=INSTALL_S)
    return call


def test_help_names_the_commands(run: Run) -> None:
    """`make help` works in a fresh clone and names every target that the README does."""
    told = run("make", "help").stdout
    for target in ("setup", "lab", "test", "demo", "notebooks", "bench"):
        assert f"make {target} " in told


def test_only_what_is_locked_was_installed(run: Run) -> None:
    """The environment holds the locked packages, pip and the project, and nothing that was fetched beside them."""
    installed = json.loads(run(".venv/bin/python", "-m", "pip", "list", "--format=json").stdout)
    lock = (ROOT / "requirements.lock").read_text()
    locked = {re.split(r"==|\[", line)[0] for line in lock.splitlines() if line[:1].isalnum()}
    names = {package["name"].lower().replace("_", "-").replace(".", "-") for package in installed}
    assert names - locked == {"pip", "asynchronism-workbook"}


def test_a_second_set_up_installs_nothing(run: Run) -> None:
    """The second start takes seconds: no package is looked at again."""
    began = time.monotonic()
    told = run("make", "setup", f"PYTHON={base_python()}").stdout
    assert time.monotonic() - began < patience(SECOND_START_S)
    assert "Installing" not in told


def test_a_changed_lock_is_installed_and_an_interrupted_set_up_is_resumed(run: Run) -> None:
    """A lock that is newer than the stamp, or a missing stamp, makes the next start install."""
    plan = run("make", "-n", "setup", "-W", "requirements.lock").stdout
    assert "--require-hashes -r requirements.lock" in plan
    run("mv", ".venv/.installed", ".venv/.installed.aside")
    plan = run("make", "-n", "setup").stdout
    run("mv", ".venv/.installed.aside", ".venv/.installed")
    assert "--require-hashes -r requirements.lock" in plan
    assert "-m venv" not in plan


def test_a_moved_folder_gets_a_new_environment(run: Run) -> None:
    """Virtual environments do not survive a move, so one that was made elsewhere is made anew."""
    run("cp", "-p", ".venv/.made", ".venv/.made.aside")
    run("sh", "-c", "echo /somewhere/else > .venv/.made")
    plan = run("make", "-n", "setup").stdout
    run("mv", ".venv/.made.aside", ".venv/.made")
    assert "-m venv --clear .venv" in plan


def test_an_old_python_is_told_with_a_remedy(run: Run, tmp_path: Path) -> None:
    """What was found, what is needed and how to mend it, and no environment is left behind."""
    old = tmp_path / "python3.9"
    # The same interpreter, made to believe that it is an old one: CI machines do not have one.
    old.write_text(f'#!/bin/sh\nshift\nexec {base_python()} -c "import sys; sys.version_info = (3, 9, 1)\n$1" 2>&1\n')
    old.chmod(0o755)
    folder = tmp_path / "clone"
    run("git", "clone", "--quiet", str(ROOT), str(folder))
    told = run("sh", "-c", f"make -C {folder} setup PYTHON={old} && exit 1 || exit 0").stdout
    assert "Found Python 3.9" in told
    assert "3.11 or later" in told
    assert "make setup PYTHON=python3.12" in told
    assert not (folder / ".venv").exists()


def test_the_doctor_answers(run: Run) -> None:
    """`workbook doctor --json` finds a fresh installation in order."""
    assert json.loads(run(".venv/bin/workbook", "doctor", "--json").stdout)


def test_a_run_of_one_second_works(run: Run) -> None:
    """A real run of one second balances: every invariant is true."""
    told = json.loads(run(".venv/bin/workbook", "run", "--duration", "1", "--json").stdout)
    assert told["invariants"]
    assert all(told["invariants"].values())
