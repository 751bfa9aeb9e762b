"""Five minutes under load with a knob turned every second: memory stays flat and the books balance.

``python -m benchmarks.soak [--minutes 5]`` plays some 200 attempts per second on a real stack, looks at it ten times a
second as a panel does, and turns a random knob within sane bounds every second. Memory is that of each process (on
Linux the proportional set size): growth is the mean of the last stretch over the mean of the one after the first
minute, which is for warming up. What Redis holds depends on the load of its last ten seconds, so for both stretches,
and a while before, the load is the first one again and only knobs that do not change it are turned. A round is one run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from benchmarks._bar import Figure, main, say
from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import LiveRun, Stack
from lessons.show.controls import value_of

WORKERS = 3
WARM_SHARE = 0.2
"""The first minute of five."""
STRETCH_SHARE = 0.1
"""The means are over this share of the run: half a minute of five."""
AT_MOST = 1.05
LOOK_S = 0.1
SETTLE_S = 15.0
"""Results live for ten seconds in the load lab."""

SOAK = Scenario(
    load=Load(arrival_rate=170.0, duration_s=3600.0, clients=200),
    service=Service(service_time_s=0.01, workers=WORKERS),
    admission=Admission(limit=20),
    retry=Retry(attempts=3, base_s=0.05, cap_s=0.5, timeout_s=1.0),
)
KNOBS: dict[str, tuple[Any, ...]] = {
    "arrival_rate": (140.0, 170.0, 200.0, 240.0),
    "service_time_s": (0.004, 0.008, 0.012),
    "workers": (2, 3, 4),
    "limit": (8, 20, 60),
    "admission_policy": ("reject", "lifo", "drop_oldest", "drop_expired", "codel", "adaptive"),
    "retry_policy": ("none", "fixed", "full", "equal", "decorrelated"),
    "attempts": (2, 3, 4),
    "timeout_s": (0.5, 1.0, 2.0),
    "budget_ratio": (None, 0.2),
    "breaker_failures": (None, 30),
    "throttle_k": (None, 2.0),
}
QUIET_KNOBS: dict[str, tuple[Any, ...]] = {"base_s": (0.04, 0.05, 0.06), "cap_s": (0.4, 0.5, 0.6)}
"""Turned while memory is compared."""


async def measure(options: argparse.Namespace) -> list[Figure]:
    """One run per round."""
    grown: dict[str, list[float]] = defaultdict(list)
    balanced, rates = [], []
    for n in range(options.rounds):
        seed = random.randrange(10**6)
        memory, run = await _soak(options.minutes * 60, seed)
        for part, sizes in memory.items():
            grown[part].append(_growth(sizes))
        balanced.append(run.ledger.balanced)
        rates.append(run.ledger.counts["attempts"] / run.length_s)
        say(f"round {n + 1} of {options.rounds}, seed {seed}: {len(run.steering)} knobs\n{run.ledger.table()}")
    against = "the stretch after the warm-up"
    growth = [Figure.of(f"{part}: memory", found, against=against, at_most=AT_MOST) for part, found in grown.items()]
    books = Figure.share("the ledger is reconciled", balanced, against="all witnesses", at_least=1.0)
    return [*growth, books, Figure.of("attempts", rates, unit="per s")]


async def _soak(length_s: float, seed: int) -> tuple[dict[str, list[float]], Run]:
    """Memory of each part over time (bytes, once a second), and the run."""
    dice, memory = random.Random(seed), defaultdict[str, list[float]](list)
    stack = Stack("soak")
    try:
        with tempfile.TemporaryDirectory(prefix="wb-bench-") as out:
            live = await stack.begin(SOAK.replace("seed", seed), open_ended=True, out=Path(out) / "run")
            await _turn(stack, live, dice, length_s, memory)
            with contextlib.suppress(LoadGeneratorLagging):
                await live.stop()  # nothing is timed here
            assert live.run is not None
            return memory, live.run
    finally:
        await stack.stop()


async def _turn(
    stack: Stack, live: LiveRun, dice: random.Random, length_s: float, memory: dict[str, list[float]]
) -> None:
    begin = time.monotonic()
    second, like_at_first = begin, True
    while (t := time.monotonic() - begin) < length_s:
        live.poll()
        if time.monotonic() >= second:
            second += 1.0
            for part, size in _memory(stack).items():
                memory[part].append(size)
            compared = _compared(t, length_s)
            if compared and not like_at_first:
                await live.steer(**{knob: value_of(SOAK, knob) for knob in KNOBS})
            like_at_first = compared
            knobs = QUIET_KNOBS if compared else KNOBS
            knob = dice.choice(sorted(knobs))
            await live.steer(**{knob: dice.choice(knobs[knob])})
        await asyncio.sleep(LOOK_S)


def _compared(t: float, length_s: float) -> bool:
    """Whether second ``t`` is in one of the two stretches, or just before."""
    stretch_s = length_s * STRETCH_SHARE
    return any(at - SETTLE_S <= t < at + stretch_s for at in (length_s * WARM_SHARE, length_s - stretch_s))


def _memory(stack: Stack) -> dict[str, float]:
    parts = {"kernel": None, "gateway": stack.gateway.pid, "clients": stack.clients.pid, "Redis": stack.redis.pid}
    found = {part: psutil.Process(pid).memory_full_info() for part, pid in parts.items()}
    return {part: float(getattr(size, "pss", size.rss)) for part, size in found.items()}


def _growth(sizes: list[float]) -> float:
    warm, stretch = int(len(sizes) * WARM_SHARE), max(int(len(sizes) * STRETCH_SHARE), 1)
    before, after = sizes[warm : warm + stretch], sizes[-stretch:]
    return (sum(after) / len(after)) / (sum(before) / len(before))


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--minutes", type=float, default=5.0, help="length of a run; under 5 is not to be quoted")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=1, options=add_options))
