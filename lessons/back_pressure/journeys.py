"""The way of each post through the system, for runs in which nobody tries twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.run import Run

Floats = NDArray[np.float64]


class Journeys(NamedTuple):
    """One entry per post that a worker began; seconds of the run, NaN for what did not happen.

    Attributes:
        due_s: when its author meant to post.
        came_s: when it was let in.
        started_s, finished_s: of the worker's function.
        left_s: when it gave its place free, RQ's own work after the function included.
        depth: posts inside as it came, with it.
        request: its number.
    """

    due_s: Floats
    came_s: Floats
    started_s: Floats
    finished_s: Floats
    left_s: Floats
    depth: NDArray[np.int32]
    request: NDArray[np.int32]


def journeys(run: Run) -> Journeys:
    """Join who came with who was served."""
    done, rows = run.executions, run.attempts
    done = done[~np.isnan(done["started_s"])]
    came = rows[np.searchsorted(rows["request"], done["request"])]
    return Journeys(
        due_s=came["due_s"],
        came_s=came["admitted_s"],
        started_s=done["started_s"],
        finished_s=done["finished_s"],
        left_s=done["left_s"],
        depth=came["depth_seen"],
        request=done["request"],
    )
