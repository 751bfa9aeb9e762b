"""Whatever happens to the kernel, nothing of its stack outlives it."""

from __future__ import annotations

import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.processes import alive, asked, marked, marked_environment, runtime_directories, wait_until

pytestmark = pytest.mark.faults


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory of the test's own with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="wt-") as path:
        yield Path(path)


def owner(mark: str, temporary: Path, *faults: str, wait_for_load: bool) -> subprocess.Popen[bytes]:
    """Start the stand-in for a kernel, with these faults in force."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.owner", *faults],
        stdout=subprocess.PIPE,
        env=marked_environment(mark, temporary),
        start_new_session=True,
    )
    if wait_for_load:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loaded\n"
    return process


def end(process: subprocess.Popen[bytes], number: int, mark: str, temporary: Path) -> None:
    """End the owner; two seconds later nothing of its stack may be left."""
    process.send_signal(number)
    process.wait()
    wait_until(lambda: not marked(mark), 2.0, f"processes gone, left: {marked(mark)}")
    wait_until(lambda: not runtime_directories(temporary), 2.0, "runtime directory gone")
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("kind", ["simple", "fork"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_two_seconds_after_the_kernel_dies_in_mid_run(temporary: Path, number: int, kind: str) -> None:
    """No process, work horses included, no socket, no runtime directory."""
    mark = secrets.token_hex(8)
    process = owner(mark, temporary, kind, wait_for_load=True)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 6  # leash, server, gateway, clients, two workers
    assert any("redis" in name or "valkey" in name for name in (asked(p.name, "") for p in family))
    assert len(runtime_directories(temporary)) == 1
    end(process, number, mark, temporary)
    assert not any(alive(p) for p in family), f"processes gone of {family}"


@pytest.mark.parametrize("faults", [("freeze",), ("slow",), ("full",), ("freeze", "slow", "full")])
def test_nothing_is_left_when_the_kernel_dies_while_a_fault_is_in_force(
    temporary: Path, faults: tuple[str, ...]
) -> None:
    """A stopped process cannot see that its owner has gone; whoever holds it does."""
    mark = secrets.token_hex(8)
    process = owner(mark, temporary, *faults, wait_for_load=True)
    time.sleep(random.uniform(0, 0.5))  # a moment, not a wait: any will do
    end(process, signal.SIGKILL, mark, temporary)


@pytest.mark.parametrize("moment", range(4))
def test_nothing_is_left_when_the_kernel_dies_while_it_starts(temporary: Path, moment: int) -> None:
    """The same at a random moment of the start."""
    mark = secrets.token_hex(8)
    process = owner(mark, temporary, wait_for_load=False)
    time.sleep(random.uniform(0.3, 1.8))  # a moment, not a wait: any will do
    end(process, signal.SIGKILL, mark, temporary)
