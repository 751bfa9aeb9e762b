"""Section f: the same step, in ever larger working sets. What is far away is slow, whoever asks."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from IPython.display import display

from lessons import memory_walk
from lessons.check.claims import Claim, check
from lessons.show import charts

SIZES = tuple(1 << power for power in (14, 16, 18, 20, 22, 24, 26))
"""Bytes of the working sets: 16 kB to 64 MB."""

FILE_BYTES = 8 << 20
READS = 60
PROBES = 8


class Distance(NamedTuple):
    """Mean time of one access, nanoseconds.

    Attributes:
        memory: working set (bytes) → one read of memory that depends on the read before.
        cached_ns: one page of a file that the operating system holds in memory.
        uncached_ns: one page of the same file that it does not hold; None where this system does not let us empty it.
    """

    memory: dict[int, float]
    cached_ns: float
    uncached_ns: float | None


def measure_distance(sizes: Sequence[int] = SIZES) -> Distance:
    """Walk through memory of growing size in a random order, then read pages of a file at random."""
    return Distance(memory_walk.step_ns(sizes), *_pages())


def _pages() -> tuple[float, float | None]:
    """One page of a file from memory, and from the disk."""
    directory = Path(platformdirs.user_cache_dir("asynchronism-workbook"))
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        descriptor = file.fileno()
        file.write(np.random.default_rng(1).bytes(FILE_BYTES))
        os.fsync(descriptor)
        places = np.random.default_rng(2).permutation(FILE_BYTES // mmap.PAGESIZE) * mmap.PAGESIZE
        cached = _read_ns(descriptor, places[:READS].tolist())
        if not _emptied(descriptor, places[READS : READS + PROBES].tolist()):
            return cached, None
        return cached, _read_ns(descriptor, places[-READS:].tolist())


def _emptied(descriptor: int, probes: list[int]) -> bool:
    """Ask the kernel to forget the file's pages; whether it did, as far as it tells."""
    if not hasattr(os, "posix_fadvise") or not hasattr(os, "RWF_NOWAIT"):
        return False
    for advice in (os.POSIX_FADV_RANDOM, os.POSIX_FADV_DONTNEED):  # random: nothing is read ahead
        os.posix_fadvise(descriptor, 0, 0, advice)
    try:
        for place in probes:
            os.preadv(descriptor, [bytearray(mmap.PAGESIZE)], place, os.RWF_NOWAIT)
    except BlockingIOError:
        return True  # a read that must not wait was refused: the page is not in memory
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
    return False


def _read_ns(descriptor: int, places: list[int]) -> float:
    """Median of single reads."""
    times = []
    for place in places:
        began = time.perf_counter_ns()
        os.pread(descriptor, mmap.PAGESIZE, place)
        times.append(time.perf_counter_ns() - began)
    return float(np.median(times))


def show_distance(found: Distance) -> None:
    """The ladder as a curve, and the file's two figures in words."""
    title = "One step in memory: the larger the working set, the longer it takes"
    steps = charts.measured("this machine", {size / 2**20: [ns] for size, ns in found.memory.items()}, joined=True)
    ticks = {size / 2**20: _named(size) for size in found.memory}
    display(
        charts.chart(title, [steps], x="working set", y="nanoseconds per step", log_x=True, log_y=True, ticks=ticks)
    )
    smallest, largest = min(found.memory), max(found.memory)
    print(f"one step in {_named(smallest)}: {found.memory[smallest]:.1f} ns; "
          f"in {_named(largest)}: {found.memory[largest]:.0f} ns")  # fmt: skip
    print(f"one page of a file that is in memory: {found.cached_ns / 1000:.1f} µs")
    if found.uncached_ns is None:
        print("one page from the disk: not measured, this system does not forget pages on request")
    else:
        print(f"one page from the disk: {found.uncached_ns / 1000:.0f} µs")


def _named(size: int) -> str:
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} kB"


def slower(found: Distance) -> str:
    """How many times as slow the largest working set is, in a phrase."""
    return f"{found.memory[max(found.memory)] / found.memory[min(found.memory)]:.0f} times as slow"


def check_distance(found: Distance) -> None:
    """What section f says of distances.

    Raises:
        ClaimError: it is not so.
    """
    near, far = found.memory[min(found.memory)], found.memory[max(found.memory)]
    numbers = f"{near:.2f} ns, {far:.1f} ns, page {found.cached_ns:.0f} ns, disk {found.uncached_ns}"
    check(
        Claim("the same step is several times as slow in the largest working set as in the smallest", far > 4 * near,
              numbers),
        Claim("a page of a file costs more than a step in memory, even when the page is in memory",
              found.cached_ns > near, numbers),
        Claim("where this system lets us see it, a page from the disk costs several times as much again",
              found.uncached_ns is None or found.uncached_ns > 3 * found.cached_ns, numbers),
    )  # fmt: skip
