"""A function from a cell works in a child of ours, and its mistakes are told, with its lines, and do no harm."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from demo_workers.errors import PolicyError
from demo_workers.policies.custom import DOORS, FAILURES, Door, Failure
from demo_workers.services.children.child import Child
from demo_workers.services.children.hosted_policy import MAX_BYTES, pack
from demo_workers.stack.custom_policies import host, stuck
from tests.cells import in_a_cell
from tests.patience import patience

pytestmark = pytest.mark.live

Host = Callable[[str, Callable[..., Any]], Any]


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Child]:
    """A process that hosts policies."""
    script = str(Path(__file__).with_name("policy_host.py"))
    made = Child("host", "", {}, tmp_path / "log", command=[sys.executable, script])
    await made.start()
    yield made
    await made.stop()


async def test_a_function_answers_in_the_child_as_it_does_here(child: Child) -> None:
    """It may use imports, other functions and numbers of its own cell."""
    text = "def next_try(failure):\n    return None if failure.attempt > 8 else base * math.sqrt(4)"
    await host(child, "next_try", in_a_cell("import math\nbase = 0.2\n" + text))
    assert (await child.call("ask", policy="next_try"))["answers"] == [None]
    await host(child, "admit", in_a_cell("def admit(state):\n    return state.depth < 10"))
    assert (await child.call("ask", policy="admit", times=2))["answers"] == [False, False]


WRONG = {
    "def f(x):\n    return 1 / 0": r"raised ZeroDivisionError: division by zero\n.*<cell>.*line 2",
    "def f(x):\n    return 'soon'": r"returned 'soon': must be",
    "def f(x):\n    return float('nan')": r"returned nan: must be",
    "def f(x):\n    return -1": r"returned -1: must be",
    "def f(x):\n    while True:\n        pass": r"had not returned after .* must answer at once.*<cell>.*line [23]",
    "import time\ndef f(x):\n    time.sleep(60)": r"had not returned after",
    "def f(x):\n  while True:\n    try: x.nothing\n    except Exception: pass": r"had not returned",
    "def f(x):\n    raise SystemExit": r"raised SystemExit",
    "def f(x):\n    return f(x)": r"raised RecursionError",
}


@pytest.mark.parametrize("text", WRONG)
async def test_a_mistake_is_told_at_once_and_the_child_lives(child: Child, text: str) -> None:
    """Within two seconds, with name, value, bound, remedy or the line it happened in."""
    start = time.monotonic()
    with pytest.raises(PolicyError, match=f"(?s)next_try {WRONG[text]}"):
        await host(child, "next_try", in_a_cell(text))
    assert time.monotonic() - start < patience(2)
    await child.call("nothing")


async def test_admit_must_say_yes_or_no(child: Child) -> None:
    """A number is no answer, though Python would take it for one."""
    with pytest.raises(PolicyError, match="admit returned 1: must be True or False"):
        await host(child, "admit", in_a_cell("def admit(state):\n    return 1"))


async def test_a_later_mistake_is_told_once_and_then_the_harmless_answer_is_given(child: Child) -> None:
    """The clients go on, without retries; the owner ends the run."""
    text = "calls = []\ndef f(x):\n    calls.append(1)\n    return 0.5 if len(calls) <= 5 else 'later'"
    await host(child, "next_try", in_a_cell(text))
    said = await child.call("ask", policy="next_try", times=3)
    assert said["answers"] == [None, None, None]
    assert len(said["mistakes"]) == 1
    assert "returned 'later'" in said["mistakes"][0]


@pytest.mark.faults
@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return sum(range(10**13))",  # C code that no alarm can interrupt
        "def f(x):\n  while True:\n    try: sum(1 for _ in iter(int, 1))\n    except BaseException: pass",
    ],
)
async def test_a_function_that_cannot_be_interrupted_ends_the_child(child: Child, text: str) -> None:
    """And whoever brought it is told why; nothing hangs."""
    start = time.monotonic()
    with pytest.raises(PolicyError, match="could not be interrupted"):
        await host(child, "next_try", in_a_cell(text))
    assert time.monotonic() - start < patience(5)  # the machine may be busy, and processor time counts
    assert stuck(child) is not None


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda: 1, "must be a function of one argument"),
        (lambda a, b: 1, "must be a function of one argument"),
        (7, "must be a function of one argument"),
        ((lambda lock: lambda failure: lock)(threading.Lock()), "cannot be sent"),
        ((lambda data: lambda failure: data)(bytes(MAX_BYTES)), "must be at most"),
    ],
)
def test_what_cannot_travel_is_refused_where_it_was_in_a_cell(function: Any, match: str) -> None:
    """Before anything is sent."""
    with pytest.raises(PolicyError, match=match):
        pack("next_try", function)


def test_the_examples_show_every_reason_and_every_unknown() -> None:
    """A function that forgets None, or one of the reasons, fails before it is let near a run."""
    assert {failure.reason for failure in FAILURES} == {"refused", "timed_out", "errored", "held_back"}
    for field in ("retry_after_s", "time_left_s", "budget_left"):
        assert {getattr(failure, field) is None for failure in FAILURES} == {True, False}, Failure
    for field in ("limit", "drain_rate", "expected_wait_s", "time_left_s"):
        assert {getattr(door, field) is None for door in DOORS} == {True, False}, Door
