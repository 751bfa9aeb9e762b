from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from demo_workers.errors import LabError
from demo_workers.services.children.child import Child
from demo_workers.services.children.control import MAX_LINE
from tests.demo_workers.services.processes import ROOT, lives, owner, until
from tests.patience import patience

pytestmark = pytest.mark.live
EXAMPLE = "tests.demo_workers.services.children.example_child"
Make = Callable[..., Child]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes children that are stopped after the test."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made: list[Child] = []

    def child(
        kind: str = "serve", module: str = EXAMPLE, config: dict[str, Any] | None = None, **options: Any
    ) -> Child:
        log = tmp_path / f"{len(made)}.log"
        made.append(Child(f"example {len(made)}", module, {"kind": kind} | (config or {}), log, **options))
        return made[-1]

    yield child
    for one in made:
        await one.stop(grace_s=0)


async def condition(met: Callable[[], object], within_s: float = 2.0) -> None:
    """Wait on the loop for a condition; a TimeoutError is a failure."""
    async with asyncio.timeout(patience(within_s)):
        while not met():
            await asyncio.sleep(0.01)


async def test_start_returns_what_the_child_says_first(make: Make) -> None:
    """The fields of ``ready`` are the result, and the child lives in a session of its own."""
    child = make()
    assert (child.pid, child.alive, child.returncode) == (None, False, None)
    ready = await child.start()
    assert (ready["event"], ready["pid"]) == ("ready", child.pid)
    assert child.alive
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


async def test_a_call_returns_the_reply(make: Make) -> None:
    """Also when several are under way and the answers come in another order."""
    child = make()
    await child.start()
    replies = await asyncio.gather(child.call("slow", seconds=0.2), *(child.call("echo", number=n) for n in range(50)))
    assert replies[0]["slept"] == 0.2
    assert [reply["number"] for reply in replies[1:]] == list(range(50))


async def test_a_large_command_arrives(make: Make) -> None:
    """Several times what a pipe holds passes without blocking the loop; what is above the bound is refused."""
    child = make()
    await child.start()
    text = "x" * (MAX_LINE - 100)
    assert (await child.call("echo", text=text))["text"] == text
    with pytest.raises(LabError, match=rf"example 0: message = \d+ bytes: must be at most {MAX_LINE}"):
        await child.call("echo", text="x" * MAX_LINE)
    assert (await child.call("echo", number=1))["number"] == 1


async def test_a_refusal_is_raised_where_it_was_asked(make: Make) -> None:
    """With the child's name, the verb, and type and text of what happened there."""
    child = make()
    await child.start()
    with pytest.raises(LabError, match=r"example 0: refuse failed. ScenarioError: load.arrival_rate = -1: must be"):
        await child.call("refuse", rate=-1)


async def test_a_call_has_a_deadline(make: Make) -> None:
    """A child that is frozen is told apart from one that is dead; its late answer is no answer to the next call."""
    child = make()
    await child.start()
    with pytest.raises(LabError, match=r"example 0: must answer 'slow' within 0.1 s. It lives but is stuck"):
        await child.call("slow", seconds=0.3, timeout_s=0.1)
    assert (await child.call("slow", seconds=0.4))["slept"] == 0.4


async def test_a_frozen_child_cannot_block_the_loop(make: Make) -> None:
    """Not even with more to read than its pipe holds; stop ends it."""
    child = make()
    await child.start()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(LabError, match="must answer 'echo' within"):
        await child.call("echo", text="x" * 500_000, timeout_s=0.2)
    assert time.monotonic() - began < patience(1)
    await child.stop(grace_s=0.1)
    assert child.returncode == -signal.SIGKILL


async def test_news_is_heard_in_order(make: Make) -> None:
    """Each event but ``ready`` is handed to on_event; one that raises is reported and the next is heard."""
    heard: list[int] = []
    reported: list[dict[str, Any]] = []

    def on_event(event: dict[str, Any]) -> None:
        heard.append(event["number"])
        if event["number"] == 1:
            raise ValueError("a mistake in the owner")

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    child = make(on_event=on_event)
    await child.start()
    await child.call("news", count=4)
    assert heard == [0, 1, 2, 3]
    assert [type(context["exception"]) for context in reported] == [ValueError]


@pytest.mark.parametrize(
    ("kind", "module", "texts"),
    [
        ("refuse", EXAMPLE, ["waited for to say 'ready'", "exit code 1", "no such limit: -1"]),
        ("mute", EXAMPLE, ["must say 'ready' within 1 s", "was killed"]),
        ("", "demo_workers.services.no_such_service", ["exit code 1", "No module named"]),
    ],
)
async def test_a_start_that_fails_says_what_happened(make: Make, kind: str, module: str, texts: list[str]) -> None:
    """The error names the child, what was waited for, how it ended and the end of its log; nothing is left."""
    exits: list[Child] = []
    child = make(kind, module, on_exit=exits.append)
    with pytest.raises(LabError) as caught:
        await child.start(timeout_s=1.0 if kind == "mute" else 15.0)
    for text in ["example 0:", *texts]:
        assert text in str(caught.value)
    assert not child.alive
    assert exits == []  # the error has told it


async def test_a_program_that_is_not_there_cannot_be_run(make: Make) -> None:
    """The error names it."""
    with pytest.raises(LabError, match=r"example 0: /no/such/program cannot be run"):
        await make(command=["/no/such/program"]).start()


async def test_a_start_that_is_cancelled_leaves_nothing(make: Make) -> None:
    """Interrupting a cell in the middle of a start kills the child."""
    child = make("mute")
    task = asyncio.create_task(child.start())
    await condition(lambda: child.alive)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not child.alive


async def test_a_child_is_started_once(make: Make) -> None:
    """A second start is refused and harms nothing."""
    child = make()
    await child.start()
    with pytest.raises(LabError, match="was started before"):
        await child.start()
    assert child.alive


@pytest.mark.faults
async def test_an_unasked_end_is_told_once(make: Make) -> None:
    """on_exit gets the child, on the loop's thread; calls under way and later ones say how it ended."""
    exits: list[tuple[Child, threading.Thread]] = []
    child = make(on_exit=lambda child: exits.append((child, threading.current_thread())))
    await child.start()
    waiting = asyncio.create_task(child.call("slow", seconds=60, timeout_s=60))
    await child.call("nothing")
    child.kill()
    with pytest.raises(LabError, match=r"example 0: must be alive when waited for, but has ended \(Killed, signal 9\)"):
        await waiting
    assert exits == [(child, threading.current_thread())]
    with pytest.raises(LabError, match=r"must be alive when asked to echo, but has ended"):
        await child.call("echo")
    child.kill()
    await child.stop()
    await child.stop()
    assert len(exits) == 1


async def test_an_exit_code_and_last_words_are_kept(make: Make) -> None:
    """What the child said before it left is heard before its end is told."""
    order: list[object] = []
    child = make(on_event=lambda event: order.append(event["number"]), on_exit=lambda child: order.append("exit"))
    await child.start()
    await child.call("news", count=2)
    with pytest.raises(LabError, match=r"exit code 3"):
        await child.call("leave", code=3)
    assert (child.returncode, order) == (3, [0, 1, "exit"])


async def test_an_end_that_was_asked_for_is_no_news(make: Make) -> None:
    """Neither stop nor terminate calls on_exit; both may be repeated."""
    exits: list[Child] = []
    stopped, terminated = make(on_exit=exits.append), make(on_exit=exits.append)
    await asyncio.gather(stopped.start(), terminated.start())
    await asyncio.gather(stopped.stop(), stopped.stop())
    terminated.terminate()
    assert await terminated.wait(patience(2.0))
    await terminated.stop()
    terminated.terminate()
    assert (stopped.returncode, terminated.returncode) == (0, -signal.SIGTERM)
    await asyncio.sleep(0)
    assert exits == []


async def test_stop_before_start_does_nothing(make: Make) -> None:
    """From any state means this one too; so do kill, terminate and wait."""
    child = make()
    child.kill()
    child.terminate()
    assert await child.wait()
    await child.stop()
    with pytest.raises(LabError, match="has not been started"):
        await child.call("echo")


async def test_a_child_that_ignores_the_end_is_killed(make: Make) -> None:
    """After the grace period, with all of its process group."""
    script = 'sleep 1000 & echo "{\\"event\\": \\"ready\\", \\"sleeper\\": $!}"; wait'
    child = make(command=["/bin/sh", "-c", script])
    sleeper = (await child.start())["sleeper"]
    assert lives(sleeper)
    await child.stop(grace_s=0.1)
    assert child.returncode == -signal.SIGKILL
    assert until(lambda: not lives(sleeper), 1)


async def test_a_grandchild_that_holds_the_pipe_does_not_hide_the_end(make: Make) -> None:
    """RQ's work horse has a process group of its own, outlives its worker and holds its standard output."""
    exits: list[Child] = []
    script = 'setsid sleep 1000 & echo "{\\"event\\": \\"ready\\", \\"horse\\": $!}"; exec sleep 1000'
    child = make(command=["/bin/sh", "-c", script], on_exit=exits.append)
    ready = await child.start()
    try:
        assert until(lambda: os.getpgid(ready["horse"]) == ready["horse"], 2)
        child.kill()
        await condition(lambda: exits == [child])
        assert lives(ready["horse"])
    finally:
        os.kill(ready["horse"], signal.SIGKILL)


def test_a_child_outlives_the_loop_that_started_it_and_can_be_stopped_from_another(tmp_path: Path) -> None:
    """As long as its owner keeps it."""
    command = ["/bin/sh", "-c", 'echo "{\\"event\\": \\"ready\\"}"; cat']
    child = Child("example", "", {}, tmp_path / "log", command=command)
    asyncio.run(child.start())
    assert child.alive
    asyncio.run(child.stop())
    assert child.returncode == 0


@pytest.mark.faults
def test_children_end_when_their_owner_is_killed() -> None:
    """No child holds the pipe of another open: all are gone a second after the owner's SIGKILL, busy or not."""
    with owner("main", "serve", "serve", "busy", "blocked") as (process, told):
        try:
            assert all(lives(pid) for pid in told["children"])
            process.kill()
            assert until(lambda: not any(lives(pid) for pid in told["children"]), 1)
        finally:
            shutil.rmtree(told["runtime"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_no_child_inherits_a_pipe_of_another(make: Make) -> None:
    """Two children share no pipe."""
    first, second = make(), make()
    await first.start()
    await second.start()
    assert len(pipes(first)) == 2
    assert not pipes(first) & pipes(second)


def pipes(child: Child) -> set[str]:
    """Names of the control pipes that a child holds; its own loop's wake-up socket is none."""
    folder = Path(f"/proc/{child.pid}/fd")
    links = {os.readlink(descriptor) for descriptor in folder.iterdir()}
    return {link for link in links if link.startswith("pipe:")}
