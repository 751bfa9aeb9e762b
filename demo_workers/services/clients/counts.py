"""What the clients count themselves: a witness that knows nothing of the record file."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from demo_workers.records.events import ClientOutcome, NoRetry


@dataclass
class Counts:
    """Plain integers.

    Attributes:
        requests: that began.
        attempts: that left. Each ended under one of the next six headings.
        refused, throttled: HTTP 503 and HTTP 429 answers.
        held_back: attempts that a guard kept from leaving.
        denied_by_bucket, denied_by_budget: retries that were not planned because a guard said no.
    """

    requests: int = 0
    attempts: int = 0
    succeeded: int = 0
    timed_out: int = 0
    refused: int = 0
    throttled: int = 0
    gave_up: int = 0
    errored: int = 0
    held_back: int = 0
    denied_by_bucket: int = 0
    denied_by_budget: int = 0

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

    def no_retry(self, why: NoRetry) -> None:
        """Count a retry that a guard forbade."""
        if why is NoRetry.BUCKET:
            self.denied_by_bucket += 1
        elif why is NoRetry.BUDGET:
            self.denied_by_budget += 1

    def to_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)
