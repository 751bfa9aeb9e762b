"""How much of the machine other programs took meanwhile: whoever measures RQ's cost beside them measures them too."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import psutil

from demo_workers.stack import Stack


class Clock(NamedTuple):
    """Seconds so far: by the wall, of all cores at work, and of ours among those."""

    wall_s: float
    busy_s: float
    ours_s: float

    @classmethod
    def of(cls, stack: Stack) -> Clock:
        """As it stands; ours are this process and all of a started stack."""
        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        pids = (os.getpid(), stack.redis.pid, stack.gateway.pid, stack.clients.pid, *stack.workforce.pids)
        ours_s = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)
        return cls(time.monotonic(), sum(times) - idle_s, ours_s)

    def others(self, since: Clock) -> float:
        """The share of all cores that went to other programs since then."""
        busy_s = (self.busy_s - since.busy_s) - (self.ours_s - since.ours_s)
        return max(0.0, busy_s / (os.cpu_count() or 1) / (self.wall_s - since.wall_s))
