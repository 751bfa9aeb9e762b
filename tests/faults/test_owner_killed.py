"""Whatever happens to the kernel, nothing of its stack outlives it."""

from __future__ import annotations

import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import marked, marked_environment, runtime_directories, wait_until

pytestmark = pytest.mark.faults


def owner(mark: str, temporary: Path, *, wait_for_load: bool) -> subprocess.Popen[bytes]:
    """Start the stand-in for a kernel."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.owner"],
        stdout=subprocess.PIPE,
        env=marked_environment(mark, temporary),
        start_new_session=True,
    )
    if wait_for_load:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loaded\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_two_seconds_after_the_kernel_dies_in_mid_run(tmp_path: Path, number: int) -> None:
    """No process, no socket, no runtime directory."""
    mark = secrets.token_hex(8)
    process = owner(mark, tmp_path, wait_for_load=True)
    assert len(marked(mark)) >= 7  # owner, leash, server, gateway, clients, two workers
    assert len(runtime_directories(tmp_path)) == 1
    process.send_signal(number)
    process.wait()
    wait_until(lambda: not marked(mark), 2.0, f"processes gone, left: {marked(mark)}")
    wait_until(lambda: not runtime_directories(tmp_path), 2.0, "runtime directory gone")
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("moment", range(4))
def test_nothing_is_left_when_the_kernel_dies_while_it_starts(tmp_path: Path, moment: int) -> None:
    """The same at a random moment of the start."""
    mark = secrets.token_hex(8)
    process = owner(mark, tmp_path, wait_for_load=False)
    time.sleep(random.uniform(0.3, 1.8))  # a moment, not a wait: any will do
    process.kill()
    process.wait()
    wait_until(lambda: not marked(mark), 2.0, f"processes gone, left: {marked(mark)}")
    wait_until(lambda: not runtime_directories(tmp_path), 2.0, "runtime directory gone")
    assert process.stdout is not None
    process.stdout.close()
