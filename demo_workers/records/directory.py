"""The flight recorder: one directory per run, the last twenty kept.

``manifest.json`` holds the scenario, versions and the verdict of the independent witnesses; ``steering.jsonl`` what was
turned while it ran; ``clients.events`` and ``gateway.events`` what happened.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import platformdirs

from demo_workers.errors import ScenarioError

KEEP = 20
"""Recorded runs kept in the user's state directory."""


class Steer(NamedTuple):
    """Something done to the running system: a knob and its new value at second ``t``, or a fault."""

    t: float
    knob: str
    value: Any


def runs_directory() -> Path:
    """Where runs are recorded for this user."""
    return Path(platformdirs.user_state_dir("asynchronism-workbook")) / "runs"


class RunDirectory:
    """The files of one run.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clients = path / "clients.events"
        self.gateway = path / "gateway.events"
        self._manifest = path / "manifest.json"
        self._steering = path / "steering.jsonl"

    @classmethod
    def create(cls, out: Path | None = None) -> RunDirectory:
        """A new directory: ``out``, or one named by the time in the user's state directory.

        Raises:
            ScenarioError: ``out`` exists and is not empty.
        """
        if out is not None:
            if out.exists() and any(out.iterdir()):
                raise ScenarioError("--out", str(out), "a new or empty directory", "Choose another name.")
            out.mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(out)
        base = runs_directory()
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
        path = base / stamp
        while True:
            try:
                path.mkdir(mode=0o700)
                break
            except FileExistsError:  # another run began in the same second
                path = base / f"{stamp}-{secrets.token_hex(2)}"
        _prune(base)
        return cls(path)

    @classmethod
    def find(cls, name: str | os.PathLike[str]) -> RunDirectory:
        """An existing run by its path, its name in the state directory, or ``"last"``.

        Raises:
            ScenarioError: there is no such run.
        """
        base = runs_directory()
        if str(name) == "last" and base.exists() and (found := _by_age(base)):
            return cls(found[-1])
        for path in (Path(name), base / name):
            if (path / "manifest.json").exists():
                return cls(path)
        raise ScenarioError("run", str(name), f"a run directory, or the name of one in {base}", "List that directory.")

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest in one step, so that a reader never sees half of it."""
        new = self._manifest.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        new.replace(self._manifest)

    def manifest(self) -> dict[str, Any]:
        """The manifest as it was last written."""
        return dict(msgspec.json.decode(self._manifest.read_bytes()))

    def append_steering(self, entries: Iterable[Steer]) -> None:
        """Add entries to the steering log."""
        with self._steering.open("ab") as file:
            for entry in entries:
                file.write(msgspec.json.encode(entry._asdict()) + b"\n")

    def steering(self) -> list[Steer]:
        """All whole lines of the steering log."""
        if not self._steering.exists():
            return []
        lines = self._steering.read_bytes().split(b"\n")[:-1]
        return [Steer(**msgspec.json.decode(line)) for line in lines]


def _by_age(base: Path) -> list[Path]:
    """Recorded runs, oldest first."""
    return sorted((p for p in base.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime_ns)


def _prune(base: Path) -> None:
    for old in _by_age(base)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
