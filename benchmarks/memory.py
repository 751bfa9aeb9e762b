"""What a stack takes when nothing happens: memory of each of its processes, for classes of forty on one machine.

``python -m benchmarks.memory`` starts a stack, lets it play one second of load so that everything is there that is
needed, and reads each process's memory when it is idle again. On Linux that is the proportional set size (pages
that are shared count by their share), elsewhere the resident set size. Reported; there is no bar.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import psutil

from benchmarks._bar import Figure, main, say
from demo_workers.errors import LoadGeneratorLagging
from demo_workers.scenario import Load, Scenario, Service
from demo_workers.stack import Stack

WORKERS = 3
WARM = Scenario(load=Load(arrival_rate=30.0, duration_s=1.0), service=Service(service_time_s=0.02, workers=WORKERS))
MB = 1e6


async def measure(options: argparse.Namespace) -> list[Figure]:
    """One stack per round."""
    found: dict[str, list[float]] = defaultdict(list)
    for n in range(options.rounds):
        taken = await _idle()
        for what, size in taken.items():
            found[what].append(size)
        say(f"round {n + 1} of {options.rounds}: {sum(taken.values()):.0f} MB")
    kind = "PSS" if sys.platform == "linux" else "RSS"
    whole = [sum(sizes) for sizes in zip(*found.values(), strict=True)]
    parts = [Figure.of(f"  {what}", sizes, unit="MB") for what, sizes in sorted(found.items())]
    return [Figure.of(f"an idle stack with {WORKERS} workers ({kind})", whole, unit="MB"), *parts]


async def _idle() -> dict[str, float]:
    """Memory in MB by part; the process that owns the stack is not counted."""
    stack = Stack("memory")
    try:
        await stack.start(WORKERS)
        with tempfile.TemporaryDirectory(prefix="wb-bench-") as out:
            live = await stack.begin(WARM, out=Path(out))
            try:
                await live.finished()
            except LoadGeneratorLagging:
                pass  # nothing is timed here
        known = {stack.gateway.pid: "gateway", stack.clients.pid: "clients"}
        known |= dict.fromkeys(stack.workforce.pids, f"{WORKERS} workers")
        taken: dict[str, float] = defaultdict(float)
        for process in psutil.Process().children(recursive=True):
            taken[known.get(process.pid, "Redis server and its leash")] += _memory(process) / MB
        return taken
    finally:
        await stack.stop()


def _memory(process: psutil.Process) -> int:
    found = process.memory_full_info()
    return int(getattr(found, "pss", found.rss))


if __name__ == "__main__":
    sys.exit(main(__doc__, measure))
