"""A stand-in for a notebook's kernel: starts a stack, puts a load on it, says so, and waits to be killed."""

from __future__ import annotations

import asyncio
import sys

from demo_workers.scenario import Admission, Load, Scenario, Service
from demo_workers.stack import Stack


async def main() -> None:
    """Run until killed, with the class of workers and the faults in force that the arguments name."""
    stack = Stack("owner")
    load = Load(arrival_rate=60, duration_s=60)
    service = Service(workers=2, worker_class="fork" if "fork" in sys.argv else "simple")
    live = await stack.begin(Scenario(load=load, service=service, admission=Admission(limit=20)))
    while len(live.poll()) == 0:
        await asyncio.sleep(0.01)
    if "freeze" in sys.argv:
        await stack.freeze_worker()
    if "slow" in sys.argv:
        await stack.slow_network(0.1)
    if "full" in sys.argv:
        await stack.fill_memory()
    print("loaded", flush=True)
    await asyncio.sleep(60)


asyncio.run(main())
