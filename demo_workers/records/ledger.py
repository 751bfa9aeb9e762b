"""The books of a run: what came in, what became of it, and whether the witnesses agree.

``check()`` prints ✓/✗ lines without numbers, so that a notebook test can compare them, and raises on ✗;
``show()`` prints the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo_workers.errors import LedgerError
from demo_workers.records import fault_lines, reconciliation, statements
from demo_workers.records.events import ClientOutcome, Outcome, Result
from demo_workers.records.line import Line

if TYPE_CHECKING:
    from demo_workers.records.run import Run


@dataclass(frozen=True)
class Ledger:
    """Counts and statements; see ``Ledger.of``."""

    counts: dict[str, int]
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, run: Run) -> Ledger:
        """Draw up the books of a run."""
        counts = _counts(run)
        lines = [*statements.lines(run, counts), *reconciliation.lines(run), *fault_lines.lines(run)]
        return cls(counts, tuple(lines))

    @property
    def balanced(self) -> bool:
        """Whether no line is ✗."""
        return all(line.ok is not False for line in self.lines)

    @property
    def invariants(self) -> dict[str, bool | None]:
        """Line name → verdict."""
        return {line.name: line.ok for line in self.lines}

    def check(self) -> None:
        """Print one line per statement, without numbers.

        Raises:
            LedgerError: a line is ✗; its numbers are in the message.
        """
        for line in self.lines:
            print(line)
        wrong = [line for line in self.lines if line.ok is False]
        if wrong:
            raise LedgerError("; ".join(f"{line.text}: {line.numbers}" for line in wrong))

    def show(self) -> None:
        """Print the statements with their numbers."""
        print(self.table())

    def table(self) -> str:
        """The statements with their numbers, as text."""
        width = max(len(str(line)) for line in self.lines)
        return "\n".join(f"{line!s:<{width}}  {line.numbers}" for line in self.lines)


def _counts(run: Run) -> dict[str, int]:
    outcome, fate, ends = run.attempts["outcome"], run.fates, run.requests["client_outcome"]
    admitted = outcome == Outcome.ADMITTED
    counts = {"attempts": len(outcome)}
    counts |= {o.name.lower(): int(np.sum(outcome == o)) for o in Outcome}
    names = {Result.OK: "completed", Result.PENDING: "pending"}
    counts |= {names.get(r, r.name.lower()): int(np.sum(admitted & (fate == r))) for r in Result}
    counts["executions"] = int(np.sum(~np.isnan(run.executions["started_s"])))
    counts["requests"] = len(ends)
    counts |= {f"requests_{o.name.lower()}": int(np.sum(ends == o)) for o in ClientOutcome}
    return counts
