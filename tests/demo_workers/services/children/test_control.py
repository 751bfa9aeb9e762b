from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_workers.errors import LabError
from demo_workers.services.children.control import MAX_LINE, Lines
from tests.demo_workers.services.processes import ROOT, environment
from tests.patience import patience

pytestmark = pytest.mark.live


class Bare:
    """The example child on bare pipes."""

    def __init__(self, log: Path, **config: Any) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.demo_workers.services.children.example_child"]
        pipe = subprocess.PIPE
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=file, bufsize=0, env=environment(), cwd=ROOT
            )
        self.send(config)

    def send(self, message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, verb: str, **params: Any) -> dict[str, Any]:
        self.send({"id": 7, "verb": verb, **params})
        return self.hear()

    def end_of_input(self) -> tuple[int, float]:
        """Exit code, and seconds it took to leave."""
        assert self.process.stdin is not None
        began = time.monotonic()
        self.process.stdin.close()
        return self.process.wait(patience(5)), time.monotonic() - began


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Any]:
    """Starts children that are gone after the test."""
    started: list[Bare] = []

    def start(kind: str, **config: Any) -> Bare:
        child = Bare(tmp_path / f"{len(started)}.log", kind=kind, **config)
        started.append(child)
        assert child.hear()["event"] == "ready"
        return child

    yield start
    for child in started:
        child.process.kill()
        with child.process:
            pass


def test_a_reply_carries_the_number_of_its_command(bare: Any) -> None:
    """The fields that a handler returns come back with id and ok."""
    assert bare("serve").ask("echo", limit=20, policy="lifo") == {"id": 7, "ok": True, "limit": 20, "policy": "lifo"}


def test_a_handler_may_return_nothing(bare: Any) -> None:
    """None becomes a reply without fields."""
    assert bare("serve").ask("nothing") == {"id": 7, "ok": True}


@pytest.mark.parametrize(
    ("verb", "params", "error"),
    [
        ("fail", {"text": "oh"}, "KeyError: 'oh'"),
        ("refuse", {"rate": -1}, "ScenarioError: load.arrival_rate = -1: must be above 0. Choose another."),
        ("echo_all", {}, "LabError: verb = 'echo_all': must be one of ask, echo, fail"),
        ("slow", {"pace": 1}, "TypeError: slow() got an unexpected keyword argument 'pace'"),
        ("unspeakable", {}, "TypeError: Encoding objects of type object is unsupported"),
        ("large", {"size": MAX_LINE}, f"LabError: control line = {MAX_LINE + 28} bytes: must be at most {MAX_LINE}"),
    ],
)
def test_an_exception_becomes_a_refusal(bare: Any, verb: str, params: dict[str, Any], error: str) -> None:
    """Type and text of whatever a handler raises reach the owner, and the child goes on."""
    child = bare("serve")
    reply = child.ask(verb, **params)
    assert (reply["id"], reply["ok"]) == (7, False)
    assert reply["error"].startswith(error)
    assert child.ask("nothing")["ok"]


def test_an_unexpected_exception_leaves_its_traceback_in_the_log(bare: Any) -> None:
    """An error of the workbook's own needs none."""
    child = bare("serve")
    child.ask("refuse", rate=-1)
    assert child.log.read_text() == ""
    child.ask("fail", text="oh")
    assert "in fail" in child.log.read_text()


def test_a_slow_command_does_not_hold_up_the_next(bare: Any) -> None:
    """Replies may come in another order than commands."""
    child = bare("serve")
    child.send({"id": 1, "verb": "slow", "seconds": 1.0})
    child.send({"id": 2, "verb": "echo"})
    assert [child.hear()["id"], child.hear()["id"]] == [2, 1]


def test_what_is_printed_stays_out_of_the_control_pipe(bare: Any) -> None:
    """It is found in the log; input() finds nothing and takes no command away."""
    child = bare("serve")
    assert child.ask("say", text='{"event": "ready"}') == {"id": 7, "ok": True}
    assert child.log.read_text() == '{"event": "ready"}\n'
    assert child.ask("ask")["read"] == ""


@pytest.mark.parametrize("kind", ["serve", "busy", "blocked"])
def test_the_end_of_input_ends_the_child(bare: Any, kind: str, tmp_path: Path) -> None:
    """On a loop, in a CPU-bound loop and in a blocking system call: within a second, after the farewell."""
    farewell = tmp_path / "farewell"
    code, took_s = bare(kind, farewell=str(farewell)).end_of_input()
    assert code == 0
    assert took_s < patience(1)
    assert farewell.read_text() == "bye"


def test_the_end_of_input_ends_a_stalled_loop(bare: Any) -> None:
    """A handler that blocks the loop for a minute does not keep the child alive."""
    child = bare("serve")
    child.send({"id": 1, "verb": "stall_for", "seconds": 60})
    assert child.end_of_input()[1] < patience(1)


def test_a_farewell_that_hangs_is_cut_short(bare: Any) -> None:
    """on_eof has a bound."""
    assert bare("busy", stuck=True).end_of_input()[1] < patience(1)


def test_a_command_that_is_too_long_ends_the_child(bare: Any) -> None:
    """The owner sees a child that has ended, and the log says why."""
    child = bare("serve")
    with pytest.raises(BrokenPipeError):  # noqa: PT012 - which of the writes meets the closed pipe is open
        for _ in range(4):
            child.process.stdin.write(b"x" * MAX_LINE)
    child.process.wait(patience(5))
    assert f"must be at most {MAX_LINE}" in child.log.read_text()


def test_an_owner_that_leaves_before_the_configuration_leaves_nothing() -> None:
    """Not even a traceback."""
    command = [sys.executable, "-m", "tests.demo_workers.services.children.example_child"]
    done = subprocess.run(command, input=b"", capture_output=True, env=environment(), cwd=ROOT, timeout=60, check=True)
    assert done.stdout == done.stderr == b""


def test_lines_are_cut_wherever_the_chunks_end() -> None:
    """A line may come in pieces, and a chunk may hold several."""
    lines = Lines()
    assert [lines.feed(chunk) for chunk in (b"a", b"b\nc\n\n", b"", b"d", b"\n")] == [
        [],
        [b"ab", b"c", b""],
        [],
        [],
        [b"d"],
    ]


def test_a_line_of_the_greatest_length_passes() -> None:
    """One byte more does not, with or without its end."""
    assert len(Lines().feed(b"x" * MAX_LINE + b"\n")[0]) == MAX_LINE
    for end in (b"", b"\n"):
        with pytest.raises(LabError, match="must be at most"):
            Lines().feed(b"x" * (MAX_LINE + 1) + end)
