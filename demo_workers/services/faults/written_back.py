"""How much of a file is on its disk, and not only in the operating system's memory.

The kernel knows: ``cachestat(2)`` (Linux 6.5 and later) counts the pages of a file that wait to be written back.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
from pathlib import Path

from demo_workers.errors import LabError

CACHESTAT = 451
"""Number of the system call on every architecture. Source: Linux, include/uapi/asm-generic/unistd.h."""
PAGE = mmap.PAGESIZE


class _Range(ctypes.Structure):
    _fields_ = (("off", ctypes.c_uint64), ("len", ctypes.c_uint64))


class _Counts(ctypes.Structure):
    """Numbers of pages. Source: Linux, include/uapi/linux/mman.h."""

    _fields_ = tuple(
        (name, ctypes.c_uint64) for name in ("cached", "dirty", "writeback", "evicted", "recently_evicted")
    )


def can_tell(directory: Path) -> bool:
    """Whether this system can say so about files there; a file system in memory has no disk, and an old kernel no word.

    It is tried: a page that was just written must be waiting, and must not be after ``fsync``.
    """
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(bytes(PAGE))
        file.flush()
        try:
            before = _waiting(file.fileno(), 0, PAGE)
            os.fsync(file.fileno())
            return before == 1 and _waiting(file.fileno(), 0, PAGE) == 0
        except OSError:
            return False


def bytes_on_disk(path: Path) -> int:
    """The length of a file's beginning that is on disk, up to its first page that is not.

    A page that was on disk and has grown since waits as a whole, so this may be less than the truth by one page.

    Raises:
        LabError: the kernel does not say; see ``can_tell``.
    """
    with path.open("rb") as file:
        descriptor, size = file.fileno(), path.stat().st_size
        try:
            # bisection: the first `low` pages are on disk, the first `high` are not
            low, high = 0, (size + PAGE - 1) // PAGE + 1
            while high - low > 1:
                middle = (low + high) // 2
                if _waiting(descriptor, 0, middle * PAGE):
                    high = middle
                else:
                    low = middle
        except OSError as error:
            raise LabError(f"{path}: cachestat(2) failed ({error}). It needs Linux 6.5 and a file on a disk.") from None
    return min(low * PAGE, size)


def _waiting(descriptor: int, start: int, length: int) -> int:
    """How many pages of a part of a file are not on disk yet."""
    part, found = _Range(start, length), _Counts()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(CACHESTAT, descriptor, ctypes.byref(part), ctypes.byref(found), 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(found.dirty + found.writeback)
