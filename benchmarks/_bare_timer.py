"""What the machine itself is late by: ``python -m benchmarks._bare_timer ORIGIN RATE SECONDS``.

One loop timer after the other, at the very times at which the load generator sends; nothing else is done. The loop is
the generator's, and so is the priority. It prints the lateness's 99th percentile in seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop

from demo_workers.scenario import Load, Scenario
from demo_workers.services.clients.histogram import Histogram
from demo_workers.services.clients.priority import go_first
from demo_workers.tape import Tape


def load(rate: float, seconds: float) -> Scenario:
    """The load that generator and timer keep time with."""
    return Scenario(load=Load(arrival_rate=rate, duration_s=seconds))


async def _main(origin: float, scenario: Scenario) -> Histogram:
    go_first()
    loop, late, tape, over = asyncio.get_running_loop(), Histogram(), Tape(scenario), asyncio.Event()

    def fire(due_s: float) -> None:
        late.add(time.monotonic() - origin - due_s)
        ahead()

    def ahead() -> None:
        due_s = tape.due_s
        if due_s > scenario.load.duration_s:
            over.set()
            return
        tape.pop()
        loop.call_later(max(0.0, origin + due_s - time.monotonic()), fire, due_s)

    while origin + tape.due_s < time.monotonic():  # it takes a moment to start a process
        tape.pop()
    ahead()
    await over.wait()
    return late


if __name__ == "__main__":
    _origin, _rate, _seconds = map(float, sys.argv[1:])
    print(uvloop.run(_main(_origin, load(_rate, _seconds))).quantile(0.99), flush=True)
