"""A real JupyterLab in a folder of its own: what it leaves can be counted, and nothing of the user's is touched."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.processes import MARK, command, marked, runtime_directories, wait_until

ROOT = Path(__file__).parents[2]
START_S = 40.0
SETTINGS = {
    "ServerApp": {
        "ip": "127.0.0.1",
        "port": 0,
        "open_browser": False,
        "allow_root": True,  # containers
        "terminals_enabled": False,
    },
    # nothing is asked of the network
    "LabApp": {
        "news_url": None,
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
        "expose_app_in_browser": True,  # a test asks the app which cells have run; it clicks like a reader
    },
}
PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class Lab:
    """JupyterLab of this environment on a free port of 127.0.0.1.

    Args:
        base: an empty folder. Keep its path short: sockets lie below it.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notebooks = base / "notebooks"
        self.temporary = base / "tmp"
        self.state = base / "state"
        self.log = base / "lab.log"
        self.mark = secrets.token_hex(8)
        self.token = secrets.token_hex(16)
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        shutil.copytree(ROOT / "notebooks", self.notebooks, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        for name in ("tmp", "state", "cache", "home", "config", "data", "runtime"):
            (self.base / name).mkdir()
        (self.base / "config" / "labconfig").mkdir()
        (self.base / "config" / "jupyter_server_config.json").write_text(json.dumps(SETTINGS))
        (self.base / "config" / "labconfig" / "page_config.json").write_text(json.dumps(PAGE))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab"],
                cwd=self.notebooks,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(self._answers, START_S, f"JupyterLab answers; its log ends\n{self.tail()}")
        except AssertionError:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut it down as a service manager would; kill what has not gone after ten seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def leftovers(self, patience_s: float) -> list[str]:
        """Marked processes and runtime directories that are still there when the patience is over."""
        deadline = time.monotonic() + patience_s
        while (left := [str(found) for found in (*marked(self.mark), *self.stacks())]) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def sweep(self) -> None:
        """End what a failed test has left."""
        for process in marked(self.mark):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def address(self, notebook: str) -> str:
        """Where a notebook is opened, in a workspace of its own: no other test's tabs come back with it."""
        return f"{self.url}workspaces/{notebook.removesuffix('.ipynb')}/tree/{notebook}?token={self.token}"

    def excerpt(self, name: str, *needles: str) -> str:
        """Store those code cells of notebook 00 that contain one of the needles, in their order; returns the name."""
        notebook = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        notebook["cells"] = [cell for cell in code if any(needle in "".join(cell["source"]) for needle in needles)]
        for cell in notebook["cells"]:
            cell |= {"outputs": [], "execution_count": None}
        (self.notebooks / name).write_text(json.dumps(notebook), encoding="utf-8")
        return name

    def write(self, name: str, *cells: str) -> str:
        """Store a notebook with these code cells; returns the name."""
        made = [
            {"cell_type": "code", "id": f"cell{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": c}
            for n, c in enumerate(cells)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.notebooks / name).write_text(json.dumps(notebook), encoding="utf-8")
        return name

    def stack_processes(self) -> list[psutil.Process]:
        """Living processes of stacks: all that carry the mark, without server and kernels."""
        return [p for p in marked(self.mark) if not _is_jupyter(p)]

    def stacks(self) -> list[Path]:
        """Runtime directories of stacks."""
        return runtime_directories(self.temporary)

    def runs(self) -> list[Path]:
        """Directories of the recorded runs, oldest first."""
        return sorted(self.state.glob("asynchronism-workbook/runs/*"), key=lambda path: path.stat().st_ctime)

    def tail(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"JupyterLab has ended\n{self.tail()}"
        for path in (self.base / "runtime").glob("jpserver-*.json"):
            try:
                self.url = json.loads(path.read_text())["url"] + "lab/"
            except ValueError:  # not yet written to its end
                return False
            return True
        time.sleep(0.05)
        return False

    def _environment(self) -> dict[str, str]:
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "XDG_STATE_HOME": "state",
            "XDG_CACHE_HOME": "cache",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "config/settings",
            "JUPYTERLAB_WORKSPACES_DIR": "config/workspaces",
            "IPYTHONDIR": "home/ipython",
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTEST", "XDG_", "WORKBOOK"))}
        return {
            **inherited,
            **{name: str(self.base / place) for name, place in places.items()},
            "JUPYTER_TOKEN": self.token,  # not in argv, where every user could read it
            MARK: self.mark,
        }


def _is_jupyter(process: psutil.Process) -> bool:
    return any(part in ("jupyterlab", "ipykernel_launcher") for part in command(process))
