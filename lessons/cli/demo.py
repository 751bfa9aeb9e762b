"""``workbook demo``: the same spike without and with a limit; one picture, two ledgers, one sentence."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario, parse
from demo_workers.stack import Stack
from lessons import retries
from lessons.cli.options import make_directory
from lessons.cli.running import errors, progress_bar, running, watch
from lessons.show.figures import goodput_two

NAMES = ("without", "with")


def demo(arguments: argparse.Namespace) -> int:
    """Collapse and rescue, live."""
    seed = Scenario().replace("seed", parse("seed", arguments.seed)).seed
    make_directory(arguments.out)
    for name in NAMES:
        if (arguments.out / name / "manifest.json").exists():  # the demo before this one; nothing else is removed
            shutil.rmtree(arguments.out / name)
        make_directory(arguments.out / name, empty=True)
    without, with_limit = asyncio.run(_both(arguments.out, seed))
    picture = arguments.out / "demo.png"
    goodput_two(without, with_limit, noun="posts").savefig(picture)
    facts = _facts(without, with_limit, picture)
    if arguments.json:
        print(msgspec.json.encode(facts).decode())
    else:
        _print(without, with_limit, picture)
    return 0 if facts["collapsed"] and facts["rescued"] and facts["balanced"] else 1


async def _both(out: Path, seed: int) -> tuple[Run, Run]:
    async with running(Stack("demo")) as stack:
        await stack.start(workers=2)
        errors.print(f"server: {stack.redis.name}")
        overhead_s = (await stack.calibrate(workers=2)).overhead_s
        errors.print(f"RQ's own cost per job here: {overhead_s * 1000:.1f} ms")
        with progress_bar() as progress:
            titles = ("the spike without a limit", f"the same spike with a limit of {retries.LIMIT}")
            runs = []
            for name, title, limit in zip(NAMES, titles, (None, retries.LIMIT), strict=True):
                scenario = retries.spike(overhead_s, limit=limit, seed=seed)
                live = await stack.begin(scenario, out=out / name)
                try:
                    runs.append(await watch(live, progress, title))
                except LoadGeneratorLagging as error:
                    errors.print(f"note: {error}")
                    assert live.run is not None
                    runs.append(live.run)
    return runs[0], runs[1]


def _facts(without: Run, with_limit: Run, picture: Path) -> dict[str, Any]:
    a, b = retries.Fate.of(without), retries.Fate.of(with_limit)
    return {
        "without": msgspec.to_builtins(a),
        "with": msgspec.to_builtins(b),
        "collapsed": a.before > 0.9 and a.after < 0.2,
        "rescued": b.before > 0.9 and b.after > 0.9,
        "balanced": without.ledger.balanced and with_limit.ledger.balanced,
        "valid": without.valid and with_limit.valid,
        "invariants": {"without": without.ledger.invariants, "with": with_limit.ledger.invariants},
        "sentence": retries.finding(without, with_limit),
        "picture": str(picture),
    }


def _print(without: Run, with_limit: Run, picture: Path) -> None:
    table = Table(title="Posts answered in time")
    for column in ("", "before the spike", "during", "after", "attempts per post"):
        table.add_column(column, justify="right" if column else "left")
    for name, run in zip(
        ("no limit", f"limit {with_limit.scenario.admission.limit}"), (without, with_limit), strict=True
    ):
        fate = retries.Fate.of(run)
        amplification = run.ledger.counts["attempts"] / run.ledger.counts["requests"]
        table.add_row(name, f"{fate.before:.0%}", f"{fate.during:.0%}", f"{fate.after:.0%}", f"{amplification:.1f}")
    out = Console(highlight=False)
    for name, run in zip(("Ledger without a limit", "Ledger with the limit"), (without, with_limit), strict=True):
        out.print(f"\n{name}", style="bold")
        print(run.ledger.table())
    out.print(table)
    print(f"Picture: {picture}\nBoth runs: {picture.parent}\n")
    print(retries.finding(without, with_limit))
