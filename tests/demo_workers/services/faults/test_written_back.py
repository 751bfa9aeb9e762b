"""What the kernel says is on disk is what ``fsync`` has put there."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from demo_workers.errors import LabError
from demo_workers.services.faults.written_back import PAGE, bytes_on_disk, can_tell


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A directory on a disk of which the kernel speaks."""
    if not can_tell(tmp_path):
        pytest.skip("needs Linux 6.5 or newer and a temporary directory on a disk: cachestat(2)")
    return tmp_path


@pytest.mark.parametrize("size", [0, 1, PAGE, 5 * PAGE + 17])
def test_after_fsync_all_of_a_file_is_on_disk(disk: Path, size: int) -> None:
    """To the byte, also where the last page is not full."""
    path = disk / "log"
    with path.open("wb") as file:
        file.write(os.urandom(size))
        file.flush()
        os.fsync(file.fileno())
    assert bytes_on_disk(path) == size


def test_what_was_appended_after_fsync_is_not_on_disk_yet(disk: Path) -> None:
    """Any number of pages: the answer is where the first of them begins."""
    dice = random.Random(seed := random.randrange(10**6))
    for n in range(10):
        synced, more = dice.randrange(200), dice.randrange(1, 200)
        path = disk / f"log-{n}"  # a new one: ext4 writes a truncated file back when it is closed
        with path.open("wb") as file:
            file.write(bytes(synced * PAGE))
            file.flush()
            os.fsync(file.fileno())
            file.write(bytes(more * PAGE))
        assert bytes_on_disk(path) == synced * PAGE, f"seed {seed}"


def test_a_page_that_has_grown_counts_as_a_whole(disk: Path) -> None:
    """So the answer is short by less than a page, and never too long."""
    path = disk / "log"
    with path.open("wb") as file:
        file.write(bytes(PAGE + 100))
        file.flush()
        os.fsync(file.fileno())
        file.write(b"more")
    assert bytes_on_disk(path) == PAGE


def test_a_file_in_memory_has_no_disk() -> None:
    """There nothing ever waits to be written back, which must not be taken for safe."""
    memory = Path("/dev/shm")  # noqa: S108  # nothing is left there
    if not memory.is_dir():
        pytest.skip("needs /dev/shm, a file system in memory")
    assert not can_tell(memory)


def test_a_kernel_that_does_not_say_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown system call: there is no answer rather than a wrong one."""
    monkeypatch.setattr("demo_workers.services.faults.written_back.CACHESTAT", 10_000)
    assert not can_tell(tmp_path)
    (tmp_path / "log").write_bytes(bytes(PAGE))
    with pytest.raises(LabError, match="cachestat"):
        bytes_on_disk(tmp_path / "log")
