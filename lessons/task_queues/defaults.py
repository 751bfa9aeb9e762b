"""Section c ★: how long a dead worker stays unnoticed by RQ as it comes, computed from RQ's own constants."""

from __future__ import annotations

from rq.defaults import DEFAULT_JOB_MONITORING_INTERVAL, DEFAULT_MAINTENANCE_TASK_INTERVAL, DEFAULT_WORKER_TTL
from rq.queue import Queue

JOB_TIMEOUT_S = Queue.DEFAULT_TIMEOUT
"""When a job is timed out that was given no time-out of its own."""

HEARTBEAT_EVERY_S = DEFAULT_JOB_MONITORING_INTERVAL
HEARTBEAT_LASTS_S = DEFAULT_JOB_MONITORING_INTERVAL + 60
"""A job counts as abandoned this long after its worker's last sign of life. Source: rq 3.0, ``get_heartbeat_ttl``."""

ROUND_S = DEFAULT_MAINTENANCE_TASK_INTERVAL
"""Housekeeping is due when the last one is longer ago than this. Source: rq 3.0, ``should_run_maintenance_tasks``."""

WAKES_S = DEFAULT_WORKER_TTL - 15
"""An idle worker looks up from its waiting this often. Source: rq 3.0, ``dequeue_timeout``."""

IDLE_ROUND_S = WAKES_S * (ROUND_S // WAKES_S + 1)
"""From one housekeeping to the next of a worker that has nothing to do: it is done when it wakes."""

SOONEST_S = HEARTBEAT_LASTS_S - HEARTBEAT_EVERY_S
LATEST_S = IDLE_ROUND_S + HEARTBEAT_LASTS_S
"""A death is noticed between these; the latest is that of an idle worker."""


def computed(killed_after_s: float, *, other_is_busy: bool) -> float:
    """When a death is noticed, in seconds after it, if both workers were started at second 0.

    Args:
        killed_after_s: when the worker dies, right after a sign of life.
        other_is_busy: whether the other one has jobs to do.
    """
    every = ROUND_S if other_is_busy else IDLE_ROUND_S
    abandoned = killed_after_s + HEARTBEAT_LASTS_S
    look = every
    while look < abandoned:
        look += every
    return look - killed_after_s


def show_defaults() -> None:
    """Print the arithmetic."""
    print(f"a worker at a job gives a sign of life every {HEARTBEAT_EVERY_S} s; it is good for {HEARTBEAT_LASTS_S} s")
    print(f"another worker looks for jobs without one when its last look is more than {ROUND_S} s ago;")
    print(f"if it is idle it wakes every {WAKES_S} s, so it looks every {IDLE_ROUND_S} s")
    print(f"noticed: after {SOONEST_S} s at the soonest, after {LATEST_S} s at the latest")
