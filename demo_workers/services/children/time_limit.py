"""A bound on how long a function written by somebody else may run on our event loop.

Three steps. An alarm raises inside the function. A function that swallows what the alarm raises is asked a few times
more, then the process ends. A function that never comes back from C code, where no alarm can raise, is ended by the
kernel once it has burnt its processor time. The main thread only, on Linux and macOS.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ALARM_S = 0.8
"""A call that takes longer is told to stop."""
AGAIN_S = 0.1
PATIENCE = 5
"""How often it is told before the process ends."""
HARD_CPU_S = 1.5
"""Processor time after which the process is ended though no Python code runs."""

STUCK_EXIT = 86
"""Exit code of a process that ended itself because a function would not stop."""
STUCK_SIGNAL = signal.SIGVTALRM
"""Ends a process whose function hangs in C code; its stack goes to standard error first."""


class TooLong(BaseException):
    """Raised inside the function. No ``Exception``: an ``except Exception`` of its own must not catch it."""


def arm() -> None:
    """Prepare this process, once: say where the alarms go."""
    signal.signal(signal.SIGALRM, _ring)
    faulthandler.register(STUCK_SIGNAL, all_threads=False, chain=True)


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise ``TooLong`` in the body after ``ALARM_S`` seconds."""
    _alarm.rung, _alarm.armed = 0, True
    signal.setitimer(signal.ITIMER_VIRTUAL, HARD_CPU_S)
    signal.setitimer(signal.ITIMER_REAL, ALARM_S, AGAIN_S)
    try:
        try:
            yield
        finally:
            _alarm.armed = False
    finally:  # also when the alarm rings between the body's end and this line
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


class _Alarm:
    rung = 0
    armed = False


_alarm = _Alarm()


def _ring(signum: int, frame: FrameType | None) -> None:
    if not _alarm.armed:
        return
    _alarm.rung += 1
    if _alarm.rung > PATIENCE:
        print(f"a function was told {PATIENCE} times to stop and went on; it was at:", file=sys.stderr)
        faulthandler.dump_traceback(all_threads=False)
        os._exit(STUCK_EXIT)
    raise TooLong
