"""What every benchmark shares: one way to be called, to take rounds, and to answer.

A benchmark is one module of this folder and one command, ``python -m benchmarks.NAME [--rounds N] [--json]``. Its
``measure`` returns figures, each with its bar, or raises ``Unavailable`` when what it compares with is not installed::

    def measure(options: argparse.Namespace) -> list[Figure]:
        values = ratios(options.rounds, ours=lambda: cpu_of(frame), theirs=lambda: cpu_of(naive))
        say("an example; notes go to standard error")
        return [Figure.of("frame CPU", values, against="plt.show", at_most=0.10)]


    if __name__ == "__main__":
        sys.exit(main(__doc__, measure))

``measure`` may be a coroutine function. Values of a unit of their own take ``unit="MB"``; a figure without
``at_least`` and ``at_most`` is reported and judges nothing; ``Figure.share`` counts how often something held. Standard
output is the table, or with ``--json`` one line for ``workbook bench``; a missed bar makes the exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from demo_workers.errors import LabError
from lessons.check.bars import ENOUGH_ROUNDS, Figure, Findings, machine, page, table

__all__ = ["Figure", "Unavailable", "main", "ratios", "say"]

Measure = Callable[[argparse.Namespace], Sequence[Figure] | Awaitable[Sequence[Figure]]]


class Unavailable(LabError):
    """Something to measure with, or to measure against, is not on this machine; the message says how to get it."""


def say(text: str) -> None:
    """Tell how it goes, on standard error."""
    print(text, file=sys.stderr, flush=True)


def ratios(rounds: int, *, ours: Callable[[], float], theirs: Callable[[], float]) -> list[float]:
    """Ours against theirs, once per round, side by side; who goes first alternates, so that drift favours nobody.

    Args:
        rounds: how many.
        ours: measures our side once, in any unit.
        theirs: the same of the other side.
    """
    found = []
    for n in range(rounds):
        if n % 2:
            b, a = theirs(), ours()
        else:
            a, b = ours(), theirs()
        found.append(a / b)
        say(f"round {n + 1} of {rounds}: {a:.4g} / {b:.4g} = {found[-1]:.3g}")
    return found


def main(
    text: str | None,
    measure: Measure,
    *,
    rounds: int = ENOUGH_ROUNDS,
    options: Callable[[argparse.ArgumentParser], object] | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Read the options, measure, answer.

    Args:
        text: the module's docstring, shown by ``--help``.
        measure: what to measure.
        rounds: how many unless ``--rounds`` says otherwise; at least five.
        options: adds options of this benchmark alone; each needs a default, for ``workbook bench`` gives none.
        arguments: of the command line.

    Returns:
        The exit code: 0 all bars met, 1 one missed or the measurement failed, 130 interrupted.
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=_positive, default=rounds, help=f"default {rounds}; fewer is not to be quoted")
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--owned", action="store_true", help="end when standard input does")
    if options is not None:
        options(parser)
    chosen = parser.parse_args(arguments)
    name = Path(sys.argv[0]).stem
    if chosen.owned:
        # a shell's background job ignores interrupts, and what it starts inherits that
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=_end_with_owner, daemon=True).start()
    try:
        found = _measure(name, measure, chosen)
    except KeyboardInterrupt:
        return 130
    if chosen.json:
        print(msgspec.json.encode(found).decode(), flush=True)
    else:
        page().print(table([found]))
        print(f"{found.machine}; {found.took_s:.0f} s")
    return found.code


def _measure(name: str, measure: Measure, chosen: argparse.Namespace) -> Findings:
    began = time.monotonic()
    try:
        answer = measure(chosen)
        figures = asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer
    except Unavailable as error:
        return Findings(benchmark=name, skipped=str(error), machine=machine())
    except LabError as error:
        return Findings(benchmark=name, failed=f"{type(error).__name__}: {error}", machine=machine())
    return Findings(benchmark=name, figures=figures, machine=machine(), took_s=time.monotonic() - began)


async def _awaited(answer: Awaitable[Sequence[Figure]]) -> Sequence[Figure]:
    return await answer


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from 1 to 1000")
    return int(text)


def _end_with_owner() -> None:
    """The end of standard input is the end of whoever called; an interrupt lets the benchmark stop what it started."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGINT)
