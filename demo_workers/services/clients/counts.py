"""What the clients count themselves: a witness that knows nothing of the record file."""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass

import numpy as np

from demo_workers.records.events import ClientOutcome


@dataclass
class Counts:
    """Plain integers. ``refused`` are HTTP 503 answers, ``throttled`` HTTP 429 answers; the rest are attempts."""

    requests: int = 0
    attempts: int = 0
    succeeded: int = 0
    timed_out: int = 0
    refused: int = 0
    throttled: int = 0
    gave_up: int = 0
    errored: int = 0

    def attempt_ended(self, outcome: ClientOutcome, status: int) -> None:
        """Count an attempt under one heading; refusals are told apart by their HTTP status alone."""
        if status == 503:
            self.refused += 1
        elif status == 429:
            self.throttled += 1
        elif outcome is ClientOutcome.SUCCEEDED:
            self.succeeded += 1
        elif outcome is ClientOutcome.TIMED_OUT:
            self.timed_out += 1
        elif outcome is ClientOutcome.GAVE_UP:
            self.gave_up += 1
        else:
            self.errored += 1

    def to_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


class Lateness:
    """How much later than intended the attempts left (seconds)."""

    def __init__(self) -> None:
        self._late_s = array("d")

    def add(self, late_s: float) -> None:
        """Note one attempt."""
        self._late_s.append(late_s)

    def to_dict(self) -> dict[str, float]:
        """``p50_s``, ``p99_s`` and ``max_s``; zeros when nothing was sent."""
        if not self._late_s:
            return {"p50_s": 0.0, "p99_s": 0.0, "max_s": 0.0}
        p50, p99, most = np.percentile(np.array(self._late_s), [50, 99, 100])
        return {"p50_s": float(p50), "p99_s": float(p99), "max_s": float(most)}
