"""A held process stands still, goes on when let go, and never stays behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from demo_workers.errors import LabError
from demo_workers.services.children.child import Child
from demo_workers.services.faults import freezer

pytestmark = pytest.mark.faults

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], process_group=0)
print(child.pid, flush=True)
time.sleep(100)
"""
"""Starts a child in a group of its own, as RQ starts a work horse."""


@pytest.fixture
def family() -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """A process and its child, which is in another group."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    yield psutil.Process(parent.pid), child
    for process in (child, parent):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    parent.wait()
    parent.stdout.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so; a TimeoutError is a failure."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def still(process: psutil.Process) -> bool:
    """Whether it stands still."""
    return bool(process.status() == psutil.STATUS_STOPPED)


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; a zombie has."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def held(folder: Path, parent: psutil.Process, child: psutil.Process) -> Child:
    """Hold both."""
    command = [sys.executable, "-I", "-S", freezer.__file__]
    holder = Child("freezer", "", {"pid": parent.pid}, folder / "log", command=command)
    await holder.start()
    await holder.call("hold", pids=[child.pid])
    await until(lambda: still(parent) and still(child))
    return holder


async def test_a_held_family_goes_on_when_it_is_let_go(
    tmp_path: Path, family: tuple[psutil.Process, psutil.Process]
) -> None:
    """Both go on, and whoever held them is gone."""
    holder = await held(tmp_path, *family)
    with pytest.raises(LabError, match="verbs hold and thaw"):
        await holder.call("melt")
    await holder.call("thaw")
    await until(lambda: not any(map(still, family)))
    assert await holder.wait(5)
    assert not any(map(gone, family))
    await holder.stop()


async def test_a_held_family_dies_with_the_owner_of_its_holder(
    tmp_path: Path, family: tuple[psutil.Process, psutil.Process]
) -> None:
    """The end of the pipe is the owner's end, however that came."""
    holder = await held(tmp_path, *family)
    await holder.stop()
    await until(lambda: all(map(gone, family)))


async def test_to_hold_one_that_has_gone_is_harmless(
    tmp_path: Path, family: tuple[psutil.Process, psutil.Process]
) -> None:
    """It may have ended a moment ago; the other is held all the same."""
    parent, child = family
    holder = await held(tmp_path, parent, child)
    child.kill()
    await until(lambda: gone(child))
    await holder.call("hold", pids=[child.pid])
    assert still(parent)
    await holder.call("thaw")
    await holder.stop()
