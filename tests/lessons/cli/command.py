"""The ``workbook`` command as a process of its own, in places of its own."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.patience import patience
from tests.processes import alive, command, marked, marked_environment, runtime_directories

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "lessons.cli"]
RUNS = Path("asynchronism-workbook", "runs")
GONE_S = 2.0


class Answer(NamedTuple):
    """What a command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one line of JSON."""
        (line,) = self.out.splitlines()
        return json.loads(line)


class Place:
    """Where a test's commands run: temporary files, state and cache of their own, and a mark on every process.

    Args:
        base: an empty directory whose path is short enough for sockets.
        cache: the cache directory; one for all tests, so that RQ's cost is measured once.
        more: further environment variables.
    """

    def __init__(self, base: Path, cache: Path, **more: str) -> None:
        self.base = base
        self.mark = secrets.token_hex(8)
        environment = marked_environment(self.mark, base) | {"XDG_CACHE_HOME": str(cache)} | more
        self.environment = {name: value for name, value in environment.items() if value or name == "XDG_RUNTIME_DIR"}
        if "WORKBOOK_REDIS_URL" not in more:
            self.environment.pop("WORKBOOK_REDIS_URL", None)

    def run(self, *arguments: str, timeout_s: float = 110.0) -> Answer:
        """One command to its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environment,
            cwd=ROOT,
            timeout=timeout_s,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, *arguments: str, piped: bool = False) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on; killed at the end if it still does.

        Args:
            arguments: of the command.
            piped: whether its standard input is a pipe.
        """
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=ROOT,
            start_new_session=True,  # a Ctrl-C of whoever runs the tests is not for it
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def serving(self, *arguments: str, piped: bool = False) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
        """``serve --json`` and what its one line says."""
        with self.started("serve", "--json", *arguments, piped=piped) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)

    def family(self) -> list[psutil.Process]:
        """Every process that a command here has started and that lives."""
        # the server writes its title over its environment, where the mark was; its title names its socket
        servers = [process for process in psutil.process_iter() if str(self.base) in " ".join(_words(process))]
        return [process for process in {*marked(self.mark), *servers} if alive(process)]

    def left(self) -> list[object]:
        """Processes, sockets and runtime directories; nothing is left of a command that has ended."""
        return [*self.family(), *runtime_directories(self.base)]

    def assert_nothing_left(self) -> None:
        """Within two seconds, with patience on the CI's machine.

        Raises:
            AssertionError: something is.
        """
        deadline = time.monotonic() + patience(GONE_S)
        while (left := self.left()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left == []

    def runs(self) -> list[Path]:
        """Recorded runs."""
        base = self.base / RUNS
        return sorted(base.iterdir()) if base.exists() else []


def words(processes: list[psutil.Process]) -> set[str]:
    """All words in command lines, for a test that looks for a password there."""
    return {word for process in processes for word in _words(process)}


def _words(process: psutil.Process) -> list[str]:
    return " ".join(command(process)).split()  # a server writes its title over its arguments, as one word
