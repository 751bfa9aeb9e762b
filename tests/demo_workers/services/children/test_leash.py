from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo_workers.services.children import leash
from tests.demo_workers.services.processes import ever, lives, until
from tests.patience import patience

pytestmark = [pytest.mark.live, pytest.mark.faults]
SLEEP = ["/bin/sleep", "1000"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a signal at the death of the parent")
Leashed = tuple["subprocess.Popen[bytes]", dict[str, Any]]
Hold = Callable[..., Leashed]


def hear(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The next line that a leash says; empty at its end."""
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline() or "{}"))


def let_go(process: subprocess.Popen[bytes]) -> int:
    """End a leash's standard input and wait for it."""
    assert process.stdin is not None
    process.stdin.close()
    return process.wait(patience(5))


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Starts leashes; they and their programs are gone after the test."""
    started: list[Leashed] = []

    def start(argv: list[str], **config: Any) -> Leashed:
        command = [sys.executable, "-I", "-S", leash.__file__]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        assert process.stdin is not None
        line = json.dumps({"argv": argv, "log": str(tmp_path / "log"), **config})
        process.stdin.write(line.encode() + b"\n")
        started.append((process, hear(process)))
        return started[-1]

    yield start
    for process, said in started:
        process.kill()
        with process:
            pass
        if said.get("pid") and lives(said["pid"]):
            os.kill(said["pid"], signal.SIGKILL)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A marked directory with something in it."""
    path = tmp_path / "runtime"
    (path / "deep").mkdir(parents=True)
    (path / leash.MARKER).touch()
    (path / "deep" / "log").write_text("text")
    return path


def test_the_program_runs_in_a_session_of_its_own(hold: Hold) -> None:
    """Ctrl-C reaches neither it nor the leash."""
    process, said = hold(SLEEP)
    assert said["event"] == "started"
    assert until(lambda: os.getsid(said["pid"]) == said["pid"], 1)
    assert os.getsid(process.pid) == process.pid


def test_the_program_reads_its_text_and_writes_to_the_log(hold: Hold, tmp_path: Path) -> None:
    """Standard input ends after the text; standard output and error are kept in a file only we can read."""
    _, said = hold(["/bin/sh", "-c", "cat; echo done >&2"], stdin='requirepass "\u00e4"\n')
    assert said["event"] == "started"
    log = tmp_path / "log"
    assert until(lambda: log.read_text() == 'requirepass "\u00e4"\ndone\n', 2)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_program_gets_the_environment_that_is_said_and_no_other(hold: Hold, tmp_path: Path) -> None:
    """Nothing of ours where one is given; ours where none is."""
    log = tmp_path / "log"
    hold(["/bin/sh", "-c", 'echo "$HOME|$ONLY"'], env={"ONLY": "this"})
    assert until(lambda: log.read_text() == "|this\n", 2)
    hold(["/bin/sh", "-c", 'echo "$HOME"'])
    assert until(lambda: log.read_text() == f"|this\n{os.environ['HOME']}\n", 2)


def test_the_program_inherits_nothing_of_the_leash(hold: Hold) -> None:
    """Neither a descriptor, with which it could hold a pipe open, nor an ignored signal."""
    _, said = hold(SLEEP)
    program = psutil.Process(said["pid"])
    assert until(lambda: program.name() == "sleep", 2)
    if sys.platform == "linux":
        # for a moment after its start the loader has a library open
        assert until(lambda: sorted(os.listdir(f"/proc/{program.pid}/fd")) == ["0", "1", "2"], 2)
        (ignored,) = [x for x in Path(f"/proc/{program.pid}/status").read_text().splitlines() if x.startswith("SigIgn")]
        # 32 and 33 belong to the C library, which lets nobody reset them
        assert not [n for n in signal.valid_signals() if int(ignored.split()[1], 16) >> (n - 1) & 1]
    program.terminate()
    assert until(lambda: not lives(program.pid), 2)


@pytest.mark.parametrize(("argv", "code"), [(["/bin/sh", "-c", "exit 3"], 3), (["/bin/sh", "-c", "kill -9 $$"], -9)])
def test_the_end_of_the_program_is_told(hold: Hold, argv: list[str], code: int) -> None:
    """With its exit code, negative for a signal; then the leash leaves."""
    process, _ = hold(argv)
    assert hear(process) == {"event": "exited", "code": code}
    assert process.wait(patience(2)) == 0


def test_a_program_that_cannot_be_run_ends_at_once(hold: Hold, tmp_path: Path) -> None:
    """Exit code 127, and the log says why."""
    process, _ = hold(["/no/such/program"])
    assert hear(process) == {"event": "exited", "code": 127}
    assert "/no/such/program cannot be run" in (tmp_path / "log").read_text()


def test_the_end_of_input_kills_program_and_its_group(hold: Hold, runtime: Path, tmp_path: Path) -> None:
    """Within a second, whatever they ignore; the marked directory goes with them."""
    process, said = hold(["/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo $!; wait"], remove=[str(runtime)])
    assert until((tmp_path / "log").read_text, 2)
    sleeper = int((tmp_path / "log").read_text())
    began = time.monotonic()
    assert let_go(process) == 0
    assert time.monotonic() - began < patience(1)
    assert not lives(said["pid"])
    assert until(lambda: not lives(sleeper), 1)
    assert not runtime.exists()


def test_a_frozen_program_is_killed_too(hold: Hold) -> None:
    """SIGSTOP does not protect it."""
    process, said = hold(SLEEP)
    os.kill(said["pid"], signal.SIGSTOP)
    assert let_go(process) == 0
    assert not lives(said["pid"])


def test_the_directory_stays_as_long_as_the_owner(hold: Hold, runtime: Path) -> None:
    """A program that has ended leaves it to the owner, and the leash removes it after both."""
    process, _ = hold(["/bin/sh", "-c", "exit 0"], remove=[str(runtime)])
    assert hear(process)["event"] == "exited"
    assert lives(process.pid)
    assert (runtime / "deep" / "log").exists()
    assert let_go(process) == 0
    assert not runtime.exists()


def test_a_leash_without_a_program_guards_the_directory(hold: Hold, runtime: Path) -> None:
    """For a server that is not ours."""
    process, said = hold([], remove=[str(runtime)])
    assert said == {"event": "started", "pid": None}
    assert let_go(process) == 0
    assert not runtime.exists()


def test_a_program_may_be_brought_later(hold: Hold, runtime: Path, tmp_path: Path) -> None:
    """One at a time: the next when it has ended."""
    process, _ = hold([], remove=[str(runtime)])
    assert process.stdin is not None
    run = {"verb": "run", "argv": ["/bin/cat"], "stdin": "text", "log": str(tmp_path / "log")}
    process.stdin.write(json.dumps({"id": 1, **run}).encode() + b"\n")
    assert hear(process)["ok"]
    assert hear(process) == {"event": "exited", "code": 0}
    orders = [{"id": 2, **run, "argv": SLEEP}, {"id": 3, **run}, {"id": 4, "verb": "dance"}]
    process.stdin.write(b"".join(json.dumps(order).encode() + b"\n" for order in orders))
    replies = [hear(process) for _ in orders]
    assert [(reply["id"], reply["ok"]) for reply in replies] == [(2, True), (3, False), (4, False)]
    assert let_go(process) == 0
    assert not lives(replies[0]["pid"])
    assert (tmp_path / "log").read_text() == "text"


def test_only_marked_directories_are_removed(hold: Hold, runtime: Path, tmp_path: Path) -> None:
    """Neither one without the marker, nor a link to a marked one, nor what a link inside points to."""
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "thesis.txt").write_text("years")
    other = tmp_path / "other"
    other.mkdir()
    (other / leash.MARKER).touch()
    link = tmp_path / "link"
    link.symlink_to(other)
    (runtime / "inside").symlink_to(bare)
    process, _ = hold(SLEEP, remove=[str(bare), str(link), str(tmp_path / "missing"), str(runtime)])
    assert let_go(process) == 0
    assert (bare / "thesis.txt").exists()
    assert (other / leash.MARKER).exists()
    assert not runtime.exists()


def test_a_sibling_that_still_writes_does_not_save_the_directory(hold: Hold, runtime: Path) -> None:
    """What appears while it is removed is removed too."""
    process, _ = hold(SLEEP, remove=[str(runtime)])
    enough = threading.Event()

    def write() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            try:
                (runtime / f"{number}.log").write_text("more")
            except OSError:
                pass

    sibling = threading.Thread(target=write)
    sibling.start()
    timer = threading.Timer(0.3, enough.set)
    timer.start()
    try:
        assert let_go(process) == 0
    finally:
        enough.set()
        sibling.join()
        timer.join()
    assert not runtime.exists()


@linux
def test_the_program_dies_with_a_killed_leash(hold: Hold) -> None:
    """The kernel sees to it."""
    process, said = hold(SLEEP)
    assert until(lambda: psutil.Process(said["pid"]).name() == "sleep", 2)
    process.kill()
    assert until(lambda: not lives(said["pid"]), 1)


def test_polite_signals_do_not_end_the_leash(hold: Hold) -> None:
    """The pipe alone says when to leave: a leash that left on SIGTERM would leave the directory behind."""
    process, said = hold(SLEEP)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process.pid, number)
    assert not ever(lambda: process.poll() is not None, 0.2)
    assert lives(said["pid"])


def test_an_owner_that_leaves_at_once_leaves_nothing() -> None:
    """Before the configuration, and in the middle of it."""
    for said in (b"", b'{"argv": ["/bin/sl'):
        command = [sys.executable, "-I", "-S", leash.__file__]
        done = subprocess.run(command, input=said, capture_output=True, timeout=30, check=True)
        assert done.stdout == done.stderr == b""


def test_too_long_a_text_is_refused(tmp_path: Path) -> None:
    """With value and bound, before anything is started."""
    config = {"argv": SLEEP, "stdin": "x" * (leash.FEED_MAX + 1), "log": str(tmp_path / "log")}
    command = [sys.executable, "-I", "-S", leash.__file__]
    text = json.dumps(config).encode() + b"\n"
    done = subprocess.run(command, input=text, capture_output=True, timeout=30, check=False)
    assert done.stdout == b""
    assert b"stdin = 4097 bytes: must be at most 4096" in done.stderr


def test_the_leash_is_small(hold: Hold) -> None:
    """Under 20 MB: it stands beside every stack."""
    process, _ = hold(SLEEP)
    assert psutil.Process(process.pid).memory_info().rss < 20e6
