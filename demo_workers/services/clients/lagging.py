"""When the clients' own lateness makes a run worthless: it would measure the tester, not the system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LATE_S = 0.02
"""Attempts that leave later than this after their time (p99) make a run invalid."""


def lagging(counts: Mapping[str, Any] | None) -> str:
    """Why a run must not be trusted, or "".

    Args:
        counts: what the clients tell in ``end`` or ``status``; None when they have died.
    """
    late_s = ((counts or {}).get("lateness") or {}).get("p99_s") or 0.0
    if late_s <= LATE_S:
        return ""
    return (
        f"clients.lateness_p99_s = {late_s:.3f}: must be at most {LATE_S}. "
        "The machine was too busy to keep the schedule: close other work, lower the arrival rate, and run again."
    )
