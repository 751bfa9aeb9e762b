"""Which of the twin's engines a sweep is played by, and the compiled one ready, compiled at most once per machine."""

from __future__ import annotations

import fcntl
import os
from functools import cache

from demo_workers.scenario import Load, Scenario
from lessons.twin import simulate
from lessons.twin.engine import play
from lessons.twin.progress import Progress, say_compiling
from lessons.twin.simulate import PYTHON_S, UNNOTICED_S

WORKERS_WAIT = 2
"""So many times as long as one process takes to get it ready do all the workers of a machine take together."""


def pays(requests: float) -> bool:
    """Whether compiled code plays so many requests sooner than plain Python, one worker per core; getting it ready
    counts.
    """
    by_python_s = requests * PYTHON_S / (os.cpu_count() or 1)
    if by_python_s < UNNOTICED_S:
        return False
    from lessons.twin import compiling  # with the compiler, which takes half a second

    return by_python_s > WORKERS_WAIT * compiling.wait_s(play)


def is_kept() -> bool:
    """Whether the compiled engine is on disk already."""
    from lessons.twin import compiling

    return compiling.wait_s(play) <= compiling.LOADING_S


@cache
def have_compiled(heard: Progress = say_compiling) -> None:
    """Load the compiled engine, or compile it. Processes that ask at the same time wait for the first one.

    Args:
        heard: hears how many functions have been compiled, and of how many, where that must be done.
    """
    from lessons.twin import compiling

    directory = compiling.cache_directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "compiling.lock").open("w") as lock:
        if not is_kept():
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, also by a death
        simulate(Scenario(load=Load(duration_s=0.1)), engine="compiled", compiling=heard)
