"""The processes of a pool work, and none of them outlives its owner."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from demo_workers.services.children.process_pool import process_pool

OWNER = """
import os, sys, time
from demo_workers.services.children.process_pool import process_pool

if __name__ == "__main__":
    pool = process_pool(2)
    pids = {pool.submit(os.getpid).result() for _ in range(20)}
    print(*pids, flush=True)
    time.sleep(60)
"""


@pytest.mark.live
def test_a_pool_works_and_ends_with_its_block() -> None:
    """Results come in order."""
    with process_pool(2) as pool:
        assert list(pool.map(abs, [-1, -2, 3])) == [1, 2, 3]


@pytest.mark.live
@pytest.mark.faults
def test_a_killed_owner_leaves_no_process() -> None:
    """SIGKILL, while its processes wait for work."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    assert pids
    owner.kill()
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 30
    while alive := [pid for pid in pids if psutil.pid_exists(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.02)
