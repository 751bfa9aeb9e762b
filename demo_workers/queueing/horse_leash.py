"""No work horse outlives its worker.

RQ puts a horse into a process group of its own, so whoever kills the worker's group misses it, and it would finish its
job after others had taken the worker for dead: the job would run twice.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import Any

_PR_SET_PDEATHSIG = 1
"""Source: prctl(2)."""


class HorseLeash:
    """Made in the worker before it forks; ``tie`` is called in each horse."""

    def __init__(self) -> None:
        self._worker = os.getpid()
        self._held: tuple[int, int] | None = None
        self._libc: Any = None
        if sys.platform == "linux":
            # loaded here because a horse that is about to be tied should have nothing left to look for
            self._libc = ctypes.CDLL(None, use_errno=True)
        else:
            self._held = os.pipe()  # neither end survives an exec

    def tie(self) -> None:
        """From now on this process is killed when the worker's has ended, however that ended.

        The kernel's signal comes when the *thread* that forked ends. RQ forks in the worker's main thread, which ends
        last.
        """
        if self._libc is not None:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self._worker:
                _end()  # it died before the kernel had been told
        elif self._held is not None:
            read, write = self._held
            os.close(write)
            threading.Thread(target=_watch, args=(read,), name="leash", daemon=True).start()


def _watch(read: int) -> None:
    os.read(read, 1)  # nobody writes; it returns when the worker, who holds the other end, has gone
    _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
