"""The owner's end of a leash: see ``demo_workers.services.children.leash``, kept small, without this."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from demo_workers.services.children import leash
from demo_workers.services.children.child import Child


def leash_of(
    what: str, log: Path, remove: Sequence[Path], *, on_end: Callable[[], None], on_exit: Callable[[], None]
) -> Child:
    """A leash that is not yet started, and guards directories until it is told to ``run`` a program.

    Args:
        what: the program, for people.
        log: of the leash itself.
        remove: directories to remove in the end.
        on_end: called when its program has ended.
        on_exit: called when the leash itself has ended without being asked.
    """
    return Child(
        f"leash of {what}",
        "demo_workers.services.children.leash",
        {"argv": [], "remove": [str(directory) for directory in remove]},
        log,
        # as small and as quick as a Python can be
        command=[sys.executable, "-I", "-S", leash.__file__],
        ready="started",
        on_event=lambda event: on_end(),  # it has no news but the end of its program
        on_exit=lambda child: on_exit(),
    )


def kill_group(pid: int) -> None:
    """SIGKILL a program of a leash and all that it has started; harmless when it has just ended."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
