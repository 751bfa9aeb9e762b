"""One statement of a ledger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One statement about the run: ``name`` for machines, ``text`` for people, ``numbers`` to show, ``ok`` the verdict.

    ``ok`` is None when a witness could not speak because its process had died.
    """

    name: str
    text: str
    numbers: str
    ok: bool | None

    def __str__(self) -> str:
        return f"{'–' if self.ok is None else '✓' if self.ok else '✗'} {self.text}"
