"""What the flight recorder costs: CPU per attempt of clients and gateway, with the record against without it.

``python -m benchmarks.recording`` plays the same tape again and again, one run with the record and one without in each
round. Most attempts are refused: a refusal is the cheapest attempt there is, so this is the record at its dearest.
Without it the same rows are counted but neither packed nor written; what clients and gateway must know to do their work
they go on keeping in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks._bar import Figure, main, ratios
from demo_workers.errors import LoadGeneratorLagging
from demo_workers.scenario import Admission, Load, Scenario, Service
from demo_workers.stack import Stack

MOST = 1.10
WORKERS = 2
SCENARIO = Scenario(
    load=Load(arrival_rate=400.0, duration_s=5.0),
    service=Service(service_time_s=0.02, workers=WORKERS),
    admission=Admission(limit=10),
    seed=21,
    drain_s=1.0,
)


class Bench:
    """A stack that plays the tape.

    Args:
        out: where the records go.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._runs = out, 0
        self._stack = Stack("recording")

    async def start(self) -> None:
        """Start the system, and play the tape once: what is done for the first time is not measured."""
        await self._stack.start(WORKERS)
        await self.cost_s(record=True)

    async def stop(self) -> None:
        """End the system."""
        await self._stack.stop()

    async def cost_s(self, *, record: bool) -> float:
        """CPU seconds of clients and gateway for each attempt of one run."""
        self._runs += 1
        before = self._cpu_s()
        live = await self._stack.begin(SCENARIO, out=self._out / str(self._runs), record=record)
        try:
            await live.finished()
        except LoadGeneratorLagging:
            pass  # late or not, each attempt costs what it costs
        assert live.run is not None
        assert live.run.witnesses is not None
        attempts = (live.run.witnesses.clients or {})["attempts"]
        return (self._cpu_s() - before) / int(attempts)

    def _cpu_s(self) -> float:
        processes = [psutil.Process(child.pid) for child in (self._stack.clients, self._stack.gateway)]
        return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def measure(options: argparse.Namespace) -> list[Figure]:
    """The ratio, and what an attempt costs altogether."""
    costs: list[float] = []

    def cost(*, record: bool) -> float:
        found = runner.run(bench.cost_s(record=record))
        if record:
            costs.append(found * 1e6)
        return found

    with tempfile.TemporaryDirectory(prefix="wb-bench-") as out, asyncio.Runner() as runner:
        bench = Bench(Path(out))
        try:
            runner.run(bench.start())
            found = ratios(options.rounds, ours=lambda: cost(record=True), theirs=lambda: cost(record=False))
        finally:
            runner.run(bench.stop())
    return [
        Figure.of("CPU per attempt with the record", found, against="without it", at_most=MOST),
        Figure.of("CPU per attempt, clients and gateway", costs, unit="µs"),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=7))
