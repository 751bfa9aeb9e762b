"""What a notebook says will happen, checked: ✓/✗ lines without numbers, and an error when one is ✗."""

from __future__ import annotations

from typing import NamedTuple

from demo_workers.errors import LabError


class ClaimError(LabError):
    """Something a lesson says did not happen."""


class Claim(NamedTuple):
    """A statement, whether it is true of what was measured, and the numbers behind it."""

    text: str
    true: bool
    numbers: str = ""


def check(*claims: Claim) -> None:
    """Print a line per claim, without numbers so that the lines are the same on every machine.

    Raises:
        ClaimError: one is false; the message has the numbers.
    """
    for claim in claims:
        print(f"{'✓' if claim.true else '✗'} {claim.text}")
    wrong = [f"{claim.text} ({claim.numbers})" for claim in claims if not claim.true]
    if wrong:
        raise ClaimError("; ".join(wrong))
