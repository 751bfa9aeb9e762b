"""Does the twin tell what the live system does? Random settings, each played in both on the same tape.

``python -m benchmarks.fidelity [--settings 50] [--seed N]`` draws settings (load, service, limit, open or closed loop,
retries of what was refused), plays each live, and plays the run's own tape in the twin, which is told what RQ costs per
job here and now: a calibration comes right before each setting, with its workers. Throughput, shed rate, mean in
system and mean sojourn must all be within a tenth of the twin's, or within the twin's own spread where that is wider,
in 95 of 100 settings. The spread is what is left when each job draws its cost anew from the measured ones. A rate may
always be two events off in its window. With fewer than twenty settings each run is shorter, and the bar is 15 %.

The five settings with the widest gaps are printed with what RQ cost in those very runs, and whether that explains them.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks._bar import Figure, main, say
from benchmarks._gaps import NAMES, Compared, compare, explained
from benchmarks._live import play
from benchmarks._settings import settings, title
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack, calibration
from lessons.cli.running import progress_bar

SETTINGS = 50
AT_LEAST = 0.95
MANY = 20
BAR, LENGTH_S = 0.10, 8.0
SHORT_BAR, SHORT_LENGTH_S = 0.15, 5.0
"""In a short run a single job weighs more."""
MOST_CALIBRATED_S = 0.05
WORST = 5


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all, tell a line of each, and explain the worst."""
    count = options.settings or options.rounds
    bar, length_s = (BAR, LENGTH_S) if count >= MANY else (SHORT_BAR, SHORT_LENGTH_S)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    say(f"--seed {seed}")
    found = []
    with progress_bar() as progress:
        task = progress.add_task("settings", total=count)
        async for one in _compared(settings(seed, count, length_s), bar):
            found.append(one)
            progress.advance(task)
            verdict = "  " if one.agrees else "✗ "
            say(f"{verdict}{one.worst.size:4.2f} of what is allowed: {one.worst}; {title(one.live.scenario)}")
    _tell_worst(found)
    against = "the twin on the same tape"
    return [
        Figure.share("settings in which all four agree", [one.agrees for one in found], against=against,
                     at_least=AT_LEAST, note=f"--seed {seed}"),
        *(_figure(name, found, against) for name in NAMES),
    ]  # fmt: skip


async def _compared(scenarios: Sequence[Scenario], bar: float) -> AsyncIterator[Compared]:
    """Play and compare one after the other on one stack."""
    stack = Stack("fidelity")
    with tempfile.TemporaryDirectory(prefix="wb-bench-") as out:
        try:
            for n, scenario in enumerate(scenarios):
                calibrating = calibration.scenario(scenario.service.workers, service_time_s=_like(scenario))
                before, live = [
                    await play(stack, one, Path(out) / f"{n}-{name}")
                    for name, one in (("calibration", calibrating), ("setting", scenario))
                ]
                yield compare(live, calibration.overhead(before, quarters=1), bar)
        finally:
            await stack.stop()


def _like(scenario: Scenario) -> float:
    """The service time to calibrate with: the setting's own, but short enough for a good many jobs a second."""
    return min(scenario.service.service_time_s, MOST_CALIBRATED_S)


def _tell_worst(found: Sequence[Compared]) -> None:
    worst = sorted(found, key=lambda one: one.worst.size, reverse=True)[:WORST]
    for one in worst:
        say(f"\n{one.worst.size:.2f} of what is allowed: {title(one.live.scenario)}")
        for line in explained(one):
            say(f"  {line}")


def _figure(name: str, found: Sequence[Compared], against: str) -> Figure:
    gaps = [gap.relative for one in found for gap in one.gaps if gap.name == name and gap.twin.mean]
    return Figure.of(f"{name}: relative difference", gaps or [0.0], against=against)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--settings", type=int, help=f"how many; {SETTINGS} unless given, fewer is not to be quoted")
    parser.add_argument("--seed", type=int, help="of the settings; a new one each time unless given")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=SETTINGS, options=add_options))
