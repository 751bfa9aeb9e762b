"""Who is served in time under each admission policy, from a quiet system to five times what it can do?

``python -m benchmarks.admission [--rounds 5]`` plays every policy at 0.8, 1, 1.2, 2 and 5 times what the workers can
do: live, and on the same tape in the twin, which is told what RQ costs per job here and now. Clients wait for one
second and do not try again. A policy's figure is its goodput, the requests that were answered in time, as a share of
the feasible: all that came, or what the workers can do until the last one's patience is over.

Three things must hold. At twice and five times the capacity every policy that bounds what it lets in serves more in
time than no limit does. At 0.8 none costs more than a few per cent of what no limit serves, at the median. Live and
twin agree within 15 %, or within the twin's own spread where that is wider. All policies of one round and load meet the
same requests.

Other programs on the cores make RQ dearer than it was when it was measured, which no twin can know: how much of the
cores they took is told, and with more than a few per cent of them the agreement is not to be quoted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks._bar import Figure, main, say
from benchmarks._gaps import EVENTS, Gap
from benchmarks._live import play
from benchmarks._others import Clock
from benchmarks._policies import (
    CALIBRATED_S,
    LENGTH_S,
    POLICIES,
    UNLIMITED,
    WORKERS,
    Policy,
    feasible,
    overloaded,
    share_served,
)
from demo_workers.records.run import Run
from demo_workers.stack import Stack, calibration
from demo_workers.stack.calibration import Calibration
from lessons.check.gaps import Spread
from lessons.cli.running import progress_bar
from lessons.twin.family import redrawn_twins
from lessons.twin.overheads import Overheads

QUIET, OVERLOADS = 0.8, (2.0, 5.0)
FACTORS = (QUIET, 1.0, 1.2, *OVERLOADS)
"""Arrivals as a multiple of what the workers can do."""
LEAST_AT_QUIET, LEAST_SHARE, BAR = 0.95, 0.95, 0.15
TWINS = 8


class Played(NamedTuple):
    """What a policy served in time at a load in a round, as a share of the feasible; and the share of the cores that
    others took meanwhile.
    """

    round: int
    factor: float
    policy: Policy
    served: Gap
    others: float


async def measure(options: argparse.Namespace) -> list[Figure]:
    """Play them all, show them all, judge."""
    found = []
    with progress_bar() as progress:
        task = progress.add_task("policies", total=options.rounds * len(FACTORS) * len(POLICIES))
        async for one in _played(options):
            found.append(one)
            say(
                f"round {one.round + 1} of {options.rounds}, {one.factor:g} × capacity, {one.policy.name}: {one.served}"
            )
            progress.advance(task)
    _show(found)
    return list(_judged(found))


async def _played(options: argparse.Namespace) -> AsyncIterator[Played]:
    """Every policy at every load in every round, one after the other on one stack."""
    stack = Stack("admission")
    with tempfile.TemporaryDirectory(prefix="wb-bench-") as out:
        try:
            for n, factor in product(range(options.rounds), FACTORS):
                place = Path(out) / f"{n}-{factor:g}"
                calibrating = calibration.scenario(WORKERS, service_time_s=CALIBRATED_S)
                cost = calibration.overhead(await play(stack, calibrating, place / "calibration"), quarters=1)
                for policy in POLICIES:
                    scenario = overloaded(policy, factor, cost, options.first_seed + n, options.seconds)
                    begun = Clock.of(stack)
                    run = await play(stack, scenario, place / policy.name, admit=policy.admit)
                    yield Played(n, factor, policy, _served(run, policy, cost), Clock.of(stack).others(begun))
        finally:
            await stack.stop()


def _served(run: Run, policy: Policy, cost: Calibration) -> Gap:
    """The share of the feasible, live and in twins that draw RQ's cost anew."""
    twins = redrawn_twins(run, Overheads.measured(cost), times=TWINS, admit=policy.admit)
    spread = Spread.of([share_served(twin) for twin in twins])
    assert spread is not None
    bar = max(BAR * spread.mean, EVENTS / feasible(run))
    return Gap(name="of the feasible", live=share_served(run), twin=spread, bar=bar)


def _show(found: Sequence[Played]) -> None:
    """Every policy at every load: live (twin), medians of the rounds."""
    say(f"{'of the feasible: live (twin)':30}" + "".join(f"{f'{factor:g} × capacity':>16}" for factor in FACTORS))
    for policy in POLICIES:
        cells = [_of(found, policy, factor) for factor in FACTORS]
        pairs = [(median(gap.live for gap in cell), median(gap.twin.mean for gap in cell)) for cell in cells]
        say(f"{policy.name:30}" + "".join(f"{f'{live:.2f} ({twin:.2f})':>16}" for live, twin in pairs))


def _judged(found: Sequence[Played]) -> Iterator[Figure]:
    """The three things that must hold."""
    bounded = [policy for policy in POLICIES if policy.bounded]
    against = f"{UNLIMITED.name}, same tape"
    for factor in OVERLOADS:
        bare = _of(found, UNLIMITED, factor)
        more = [a.live > b.live for policy in bounded for a, b in zip(_of(found, policy, factor), bare, strict=True)]
        name = f"a bounded policy serves more in time, {factor:g} × capacity"
        yield Figure.share(name, more, against=against, at_least=LEAST_SHARE)
    for policy in POLICIES[1:]:
        pairs = zip(_of(found, policy, QUIET), _of(found, UNLIMITED, QUIET), strict=True)
        name = f"{policy.name}: served in time, {QUIET:g} × capacity"
        yield Figure.of(name, [a.live / b.live for a, b in pairs], against=against, at_least=LEAST_AT_QUIET)
    agrees = [one.served.size <= 1 for one in found]
    yield Figure.share("a live run's goodput agrees", agrees, against="the twin, same tape", at_least=LEAST_SHARE)
    yield Figure.of("cores taken by other programs", [100 * one.others for one in found], unit="%")


def _of(found: Sequence[Played], policy: Policy, factor: float) -> list[Gap]:
    """One of each round, in their order."""
    return [one.served for one in found if (one.policy, one.factor) == (policy, factor)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=LENGTH_S, help=f"length of a run, default {LENGTH_S:g}")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, options=add_options))
