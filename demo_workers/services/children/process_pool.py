"""A pool of processes that end when their owner does, also when it is killed."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Python's own pool. Its processes are spawned: the owner has threads, and a fork of it might stand still.

    Args:
        workers: how many.
    """
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=end_with_owner)


def end_with_owner() -> None:
    """Watch the owner from inside one of the pool's processes, which would else wait for work for ever."""
    owner = multiprocessing.parent_process()
    if owner is None:
        return

    def watch() -> None:
        owner.join()
        os._exit(1)

    threading.Thread(target=watch, name="owner", daemon=True).start()
