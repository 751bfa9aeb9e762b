"""``workbook simulate``: a scenario in the twin, as often as one likes; nothing is started."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from demo_workers.scenario import parse
from lessons.cli.options import number, scenario_of
from lessons.cli.running import bar, errors, progress_bar
from lessons.theory.prediction import KEYS
from lessons.twin import Overheads, Replications, replicate
from lessons.twin.progress import say_compiling


def simulate(arguments: argparse.Namespace) -> int:
    """Print means with their confidence; 1 when the books of a replication do not balance."""
    scenario = scenario_of(arguments)
    before_s, after_s = (
        number(f"--overhead-{when}", getattr(arguments, f"overhead_{when}")) for when in ("before", "after")
    )
    replications = parse("replications", arguments.replications)
    shown = errors.is_terminal
    with progress_bar() as progress:
        overheads = Overheads(before_s=before_s, after_s=after_s)
        found = replicate(
            scenario,
            replications,
            overheads=overheads,
            progress=bar(progress, "replications"),
            compiling=bar(progress, "compiling the twin, once for this machine") if shown else say_compiling,
        )
    print(msgspec.json.encode(facts(found)).decode() if arguments.json else lines(found))
    return 0 if found.balanced else 1


def facts(found: Replications) -> dict[str, Any]:
    """The keys of ``--json``; those that do not apply are None."""
    return {"source": "twin", "replications": len(found), **found.to_dict(), "invariants": found.invariants}


def lines(found: Replications) -> str:
    """The same for people: each mean with half its interval of confidence."""
    width = max(map(len, KEYS))
    shown = []
    for key in KEYS:
        mean, ci95 = found.mean(key), found.ci95(key)
        if mean is not None:
            sure = "" if ci95 is None else f"  ± {ci95:.2g}"
            shown.append(f"{key:<{width}}  {mean:.4g}{sure}")
    note = "each ± is half an interval of 95 % confidence" if len(found) > 1 else "one replication: no confidence"
    wrong = [f"✗ {name}" for name, held in found.invariants.items() if not held]
    return "\n".join([f"the twin, {len(found)} replications; {note}", "", *shown, *wrong])
