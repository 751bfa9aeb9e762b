"""``workbook bench``: the benchmarks of the checkout, one after the other, and all their figures in one table."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import deque
from pathlib import Path

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo_workers.errors import ScenarioError
from lessons.check.bars import Findings, page, table
from lessons.cli.running import errors

HELPER = Path("benchmarks", "_bar.py")


def bench(arguments: argparse.Namespace) -> int:
    """Run them and print the table; 1 when a bar is missed or a benchmark failed."""
    root = _checkout()
    names = _chosen(root, arguments.name)
    rounds = [] if arguments.rounds is None else ["--rounds", str(_rounds(arguments.rounds))]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    answers = []
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("", total=len(names))
        for name in names:
            progress.update(task, description=name)
            errors.print(name, style="bold")
            answers.append(_run(root, name, rounds))
            progress.advance(task)
    if arguments.json:
        print(msgspec.json.encode(answers).decode())
    else:
        page().print(table(answers))
        print(f"{answers[0].machine}; {sum(found.took_s for found in answers):.0f} s")
    return max(found.code for found in answers)


def _checkout() -> Path:
    for root in (Path.cwd(), Path(__file__).parents[2]):
        if (root / HELPER).exists():
            return root
    remedy = "Benchmarks are no part of the installed package: clone the repository and run `make bench` in it."
    raise ScenarioError("benchmarks", str(Path.cwd()), f"a folder that holds {HELPER}", remedy)


def _chosen(root: Path, name: str | None) -> list[str]:
    known = sorted(path.stem for path in (root / "benchmarks").glob("*.py") if not path.stem.startswith("_"))
    if name is not None and name not in known:
        raise ScenarioError("NAME", name, f"one of {', '.join(known)}", "Leave it out to run all of them.")
    return known if name is None else [name]


def _rounds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        bound = "a whole number from 1 to 1000"
        raise ScenarioError("--rounds", text, bound, "Leave it out for figures that can be quoted.")
    return int(text)


def _run(root: Path, name: str, rounds: list[str]) -> Findings:
    """One benchmark to its end; its notes are passed on as they come."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", "--owned", *rounds]
    pipe = subprocess.PIPE
    notes: deque[str] = deque(maxlen=5)
    # its standard input is a pipe that nobody writes to: should we be killed, it ends, and the benchmark with it
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            notes.append(line.rstrip())
            errors.print(f"  {notes[-1]}", markup=False, soft_wrap=True)
        answer = process.stdout.read()
    try:
        return msgspec.json.decode(answer, type=Findings)
    except msgspec.DecodeError:
        said = " ".join(notes) or "it said nothing"
        return Findings(benchmark=name, failed=f"ended with code {process.returncode} and no answer: {said}")
