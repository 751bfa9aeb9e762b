"""Start, steer, break and stop the whole system from one object; the only place that knows all parts."""

from demo_workers.stack.live_run import LiveRun
from demo_workers.stack.stack import Stack

__all__ = ["LiveRun", "Stack"]
