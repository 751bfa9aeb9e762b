"""Does the twin tell what the live system does? Random settings, each played in both on the same tape.

``python -m benchmarks.fidelity [--settings 50] [--seed N]`` draws settings (load, service, limit, open or closed loop,
retries of what was refused), plays each live, and plays the run's own tape in the twin, which is told what RQ costs per
job here and now: a calibration comes right before each setting, with as many workers. Throughput, shed rate, mean in
system and mean sojourn must all be within a tenth of the twin's, or within the twin's own spread where that is wider,
in 95 of 100 settings. The spread is what is left when each job draws its cost anew from the measured ones. A rate may
always be two events off in its window. With fewer than twenty settings each run is shorter, and the bar is 15 %.

The five settings with the widest gaps are printed with what RQ cost in those very runs, and whether that explains them.
Other programs on the cores make RQ dearer, now more and now less than in the calibration, which no twin can know: how
much of the cores they took is told, and with more than a few per cent of them the share is not to be quoted.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks._bar import Figure, main, say
from benchmarks._gaps import NAMES, Compared, compare, explained
from benchmarks._live import play
from benchmarks._others import Clock
from benchmarks._settings import offered, settings, title
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack, calibration
from lessons.cli.running import progress_bar

SETTINGS = 50
AT_LEAST = 0.95
MANY = 20
BAR, LENGTH_S = 0.10, 8.0
SHORT_BAR, SHORT_LENGTH_S = 0.15, 4.0
"""In a short run a single job weighs more."""
MOST_CALIBRATED_S = 0.06
WORST = 5


class Played(NamedTuple):
    """A setting's run, that of the calibration before it, and the share of the cores that others took meanwhile."""

    calibration: Run
    live: Run
    others: float


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all, compare them all, explain the worst."""
    count = options.settings or options.rounds
    bar, length_s = (BAR, LENGTH_S) if count >= MANY else (SHORT_BAR, SHORT_LENGTH_S)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    say(f"--seed {seed}")
    with progress_bar() as progress, tempfile.TemporaryDirectory(prefix="wb-bench-") as out:
        task = progress.add_task("live", total=count)
        played = []
        async for one in _played(settings(seed, count, length_s), Path(out)):
            played.append(one)
            progress.advance(task)
        task = progress.add_task("twin", total=count)
        found = []
        for n, one in enumerate(played):
            found.append(compare(one.live, _calibrated(played[n : n + 2]), bar, one.others))
            progress.advance(task)
    _tell(found)
    against = "the twin on the same tape"
    return [
        Figure.share("settings in which all four agree", [one.agrees for one in found], against=against,
                     at_least=AT_LEAST, note=f"--seed {seed}"),
        Figure.share("settings that agree without regard to the spread", [one.close for one in found], against=against),
        *(_figure(name, found, against) for name in NAMES),
        Figure.of("cores taken by other programs", [100 * one.others for one in found], unit="%"),
    ]  # fmt: skip


async def _played(scenarios: Sequence[Scenario], out: Path) -> AsyncIterator[Played]:
    """All settings live, one after the other on one stack."""
    stack = Stack("fidelity")
    try:
        for n, scenario in enumerate(scenarios, 1):
            say(f"{n} of {len(scenarios)}: {title(scenario)}")
            calibrating = calibration.scenario(scenario.service.workers, service_time_s=_like(scenario))
            calibrated = await play(stack, calibrating, out / f"{n}-calibration")
            begun = Clock.of(stack)
            live = await play(stack, scenario, out / f"{n}-setting")
            yield Played(calibrated, live, Clock.of(stack).others(begun))
    finally:
        await stack.stop()


def _calibrated(played: Sequence[Played]) -> calibration.Calibration:
    """What RQ costs, measured before the first of these, and again after it where the next one has as many workers."""
    workers = played[0].live.scenario.service.workers
    around = [one.calibration for one in played if one.live.scenario.service.workers == workers]
    return calibration.overhead(*around, quarters=1)


def _like(scenario: Scenario) -> float:
    """The service time with which busy workers do as many jobs a second as in the setting, so that they, the gateway
    and Redis get in each other's way as often; but short enough for a good many jobs.
    """
    return min(scenario.service.service_time_s / min(offered(scenario), 1.0), MOST_CALIBRATED_S)


def _tell(found: Sequence[Compared]) -> None:
    """A line of each, and more of the worst."""
    ranked = sorted(found, key=lambda one: one.worst.size)
    for one in ranked:
        verdict = "✓" if one.agrees else "✗"
        say(f"{verdict} {one.worst.size:.2f} of what is allowed: {one.worst}; {title(one.live.scenario)}")
    for one in ranked[-WORST:]:
        say(f"\n{one.worst.size:.2f} of what is allowed: {title(one.live.scenario)}")
        for line in explained(one):
            say(f"  {line}")


def _figure(name: str, found: Sequence[Compared], against: str) -> Figure:
    # of a rate of next to nothing any difference is large
    gaps = [gap.relative for one in found for gap in one.gaps if gap.name == name and gap.twin.mean > gap.bar]
    return Figure.of(f"{name}: relative difference", gaps or [0.0], against=against)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--settings", type=int, help=f"how many; {SETTINGS} unless given, fewer is not to be quoted")
    parser.add_argument("--seed", type=int, help="of the settings; a new one each time unless given")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=SETTINGS, options=add_options))
