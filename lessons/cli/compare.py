"""``workbook compare``: a scenario three times, in theory, in the twin and live, with the gaps between them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from demo_workers.records.run import Run
from demo_workers.scenario import parse
from demo_workers.stack.calibration import Calibration, overhead
from lessons.check.bars import page
from lessons.check.gaps import WORDS, Gap, Gaps, Verdict, gaps
from lessons.cli import report
from lessons.cli.options import make_directory, scenario_of
from lessons.cli.running import bar, play, progress_bar
from lessons.show.overlay import draw
from lessons.theory import predict_or_reason
from lessons.theory.bounds import whole
from lessons.twin import Overheads
from lessons.twin.family import MOST, redrawn_twins, twins_of

STALE = 0.25
"""A calibration that is off by this share of what RQ really cost is worth making anew."""


def compare(arguments: argparse.Namespace) -> int:
    """Play it live, then in the twin on its tape and on others; 1 when the live run's own checks fail."""
    scenario = scenario_of(arguments)
    seeds = whole("replications", parse("replications", arguments.replications), 1, MOST)
    record: Path | None = None
    if arguments.out is not None:
        make_directory(arguments.out, empty=True)
        record = arguments.out / "run"
        make_directory(record)
    live, calibration = asyncio.run(play("compare", scenario, record, fresh=arguments.calibrate))
    found = _beside(live, calibration, seeds)
    picture = None
    if arguments.out is not None:
        picture = arguments.out / "compare.png"
        draw(found).savefig(picture)
    if arguments.json:
        print(msgspec.json.encode(facts(found, calibration, picture)).decode())
    else:
        _print(found, calibration, picture)
    return 0 if live.ledger.balanced and live.valid and not live.ended_by else 1


def facts(found: Gaps, calibration: Calibration | None, picture: Path | None = None) -> dict[str, Any]:
    """The keys of ``--json``: theory, twin, live and their gaps; what does not apply is None."""
    assert found.live is not None
    assert found.twin is not None
    lucks = {key: gap.luck for key, gap in found.items()}
    return {
        "theory": None if found.prediction is None else found.prediction.to_dict(),
        "no_theory": found.reason or None,
        "twin": {
            "source": "twin",
            "replications": len(found.tapes),
            **{key: gap.mean for key, gap in found.items()},
            **{f"{key}_ci95": None if luck is None else luck.mean_ci95 for key, luck in lucks.items()},
            "same_tape": found.twin.measures.to_dict(),
        },
        "live": {**report.facts(found.live, calibration), "overhead_in_run_s": _in_run_s(found.live)},
        "gaps": found.to_dict(),
        "finding": found.finding,
        "picture": None if picture is None else str(picture),
    }


def _beside(live: Run, calibration: Calibration | None, seeds: int) -> Gaps:
    """Theory and twins of a live run, all with RQ's cost as it was measured; some of the twins draw that anew."""
    cost = Overheads.measured(calibration) if calibration else Overheads()
    theory = predict_or_reason(
        live.scenario, overhead_before_s=cost.before_s + cost.stretch_s, overhead_after_s=cost.after_s
    )
    with progress_bar() as progress:
        twins = twins_of(live, seeds=seeds, overheads=cost, progress=bar(progress, "twins"))
        redrawn = redrawn_twins(live, cost, progress=bar(progress, "the same tape, RQ's cost drawn anew"))
    return gaps(theory, *twins, *redrawn, live)


def _in_run_s(live: Run) -> float | None:
    """What RQ cost per job in the run itself (seconds): a busy machine has more than one answer to that."""
    found = overhead(live, quarters=1)
    return found.overhead_s if found.jobs else None


def _spent(calibrated_s: float, in_run_s: float) -> str:
    said = f"RQ's own cost per job: {1000 * calibrated_s:.1f} ms as calibrated, {1000 * in_run_s:.1f} ms in this run"
    stale = abs(calibrated_s - in_run_s) > STALE * in_run_s
    return said + (". That explains a bias: measure it anew with --calibrate, on a quiet machine." if stale else "")


def _print(found: Gaps, calibration: Calibration | None, picture: Path | None) -> None:
    """The same for people; keys that do not apply are left out."""
    table = Table(title=found.finding, title_justify="left")
    table.add_column("")
    for column in ("theory", "twin, all seeds", "theory is", "live", "twin, same seed", "live is"):
        table.add_column(column, justify="right")
    for gap in found.values():
        if any((gap.theory, gap.twin, gap.live)):
            table.add_row(WORDS[gap.key], *_cells(gap))
    page().print(table)
    notes = [f"No theory: {found.reason}"] if found.reason else []
    if found.prediction is not None:
        notes += [f"{found.prediction.model}: {found.prediction.why}"]
        notes += [f"approximate: {sentence}" for sentence in found.prediction.approximate]
    assert found.live is not None
    in_run_s = _in_run_s(found.live)
    if calibration is not None and in_run_s is not None:
        notes.append(_spent(calibration.overhead_s, in_run_s))
    notes += [f"note: {note}" for note in (*found.live.notes, found.live.invalid) if note]
    notes += [f"picture: {picture}"] if picture else []
    print("\n".join([*notes, "", found.live.ledger.table()]))


def _cells(gap: Gap) -> list[str]:
    theory, live, twin = ("–" if value is None else f"{value:.4g}" for value in (gap.theory, gap.live, gap.twin))
    mean = "–" if gap.luck is None else f"{gap.luck.mean:.4g} ± {gap.luck.mean_ci95:.2g}"
    of_theory, of_live = _verdict(gap.theory_verdict, gap.theory_to_mean), _verdict(gap.live_verdict, gap.live_to_twin)
    return [theory, mean, of_theory, live, twin, of_live]


def _verdict(verdict: Verdict, percent: float | None) -> str:
    apart = "" if percent is None else f"{percent:+.0f} %"
    return {"agrees": "agrees", "bias": f"bias {apart}", "unknown": apart}[verdict]
