"""What a benchmark answers: figures with their bars. ``benchmarks/`` makes them, ``workbook bench`` collects them."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ENOUGH_ROUNDS = 5
"""A median of fewer rounds shows that a benchmark works; it is not to be quoted."""

WIDTH = 110
"""Columns of a table that goes to a file or a pipe."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was measured, and what was promised of it.

    Make it with ``Figure.of`` or ``Figure.share``.

    Attributes:
        name: what was measured.
        against: what it was compared with; empty for a figure that stands alone.
        unit: of the values; empty for a ratio.
        at_least, at_most: the bar; both None for a figure that is only reported.
        measured: median of the rounds, or the share of them that held.
        least, most: the rounds' extremes.
        rounds: how many rounds.
        met: whether the bar is met; None without one.
        note: what a reader must know to understand it.
    """

    name: str
    against: str = ""
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    measured: float
    least: float
    most: float
    rounds: int
    met: bool | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        values: Sequence[float],
        *,
        against: str = "",
        unit: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        note: str = "",
    ) -> Figure:
        """The median of some rounds, one value each; NaN, a round that gave nothing, misses every bar.

        Raises:
            ValueError: there are no values.
        """
        if not values:
            raise ValueError(f"{name}.values = []: must be one value per round. Measure at least one round.")
        measured = math.nan if any(map(math.isnan, values)) else median(values)
        return cls(
            name=name, against=against, unit=unit, at_least=at_least, at_most=at_most, note=note,
            measured=measured, least=min(values), most=max(values), rounds=len(values),
            met=_met(measured, at_least, at_most),
        )  # fmt: skip

    @classmethod
    def share(
        cls, name: str, held: Sequence[bool], *, at_least: float | None = None, against: str = "", note: str = ""
    ) -> Figure:
        """In what share of the rounds something held."""
        figure = cls.of(name, [float(one) for one in held], against=against, note=note)
        measured = sum(held) / len(held)
        return msgspec.structs.replace(
            figure, at_least=at_least, measured=measured, met=_met(measured, at_least, None)
        )  # fmt: skip

    @property
    def bar(self) -> str:
        """The bar in signs."""
        parts = [(self.at_least, "≥"), (self.at_most, "≤")]
        return ", ".join(f"{sign} {bound:g}" for bound, sign in parts if bound is not None) or "–"

    @property
    def verdict(self) -> str:
        """Met, MISSED or reported; ``short`` where the rounds are too few to be quoted."""
        words = {True: "met", False: "MISSED", None: "reported"}[self.met]
        return words if self.rounds >= ENOUGH_ROUNDS or self.met is None else f"{words} (short)"


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All that one benchmark answers: the line that ``python -m benchmarks.NAME --json`` prints.

    Attributes:
        benchmark: its name.
        figures: what it measured.
        skipped: why it measured nothing, or empty.
        failed: how it broke, or empty.
        machine: where.
        took_s: seconds it took.
    """

    benchmark: str
    figures: Sequence[Figure] = ()
    skipped: str = ""
    failed: str = ""
    machine: str = ""
    took_s: float = 0.0

    @property
    def code(self) -> int:
        """Exit code: 1 when a bar is missed. What could not be measured here is a failure only where CI=true."""
        missing = bool(self.skipped) and os.environ.get("CI") == "true"
        return int(missing or bool(self.failed) or any(figure.met is False for figure in self.figures))


def machine() -> str:
    """This machine in a few words, without its name."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def table(answers: Iterable[Findings]) -> Table:
    """All figures with their bars, under the name of their benchmark."""
    shown = Table(title_justify="left")
    shown.add_column("figure")
    for column in ("bar", "measured", "from … to", "rounds", ""):
        shown.add_column(column, justify="right", no_wrap=True)
    for found in answers:
        shown.add_row(f"[bold]{escape(found.benchmark)}[/]")
        for figure in found.figures:
            name = figure.name + (f"\n  against {figure.against}" if figure.against else "")
            measured = f"{figure.measured:.3g} {figure.unit}".strip()
            spread = f"{figure.least:.3g} … {figure.most:.3g}"
            shown.add_row(escape(name), figure.bar, measured, spread, str(figure.rounds), figure.verdict)
        if found.skipped:
            shown.add_row(escape(found.skipped), "", "", "", "", "skipped")
        if found.failed:
            shown.add_row(escape(found.failed), "", "", "", "", "FAILED")
        for note in dict.fromkeys(figure.note for figure in found.figures if figure.note):
            shown.add_row(f"[dim]{escape(note)}[/]")
        shown.add_section()
    return shown


def page() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for a file."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _met(measured: float, at_least: float | None, at_most: float | None) -> bool | None:
    if at_least is None and at_most is None:
        return None
    low, high = (-math.inf if at_least is None else at_least), (math.inf if at_most is None else at_most)
    return low <= measured <= high
