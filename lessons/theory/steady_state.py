"""What every queueing model says about its long-run averages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from demo_workers.errors import ScenarioError
from lessons.theory.sojourn import Floats, Sojourn


@dataclass(frozen=True, kw_only=True)
class SteadyState:
    """Long-run averages. Rates are per second, times in seconds.

    ``arrival_rate`` is what is offered, ``p_block`` the share of it that is refused; ``p_wait``, ``wait_s`` and
    ``sojourn_s`` are of admitted jobs; ``backlog`` counts waiting jobs. ``sojourn`` is the whole distribution and
    ``wait_survival`` P(wait > t) for arrays of times (seconds); None where the model does not know them. The rest
    follows by Little's law and the utilization law.
    """

    arrival_rate: float
    service_time_s: float
    workers: int
    p_wait: float
    p_block: float
    backlog: float
    wait_s: float
    wait_survival: Callable[[Floats], Floats] | None = field(default=None, repr=False, compare=False)
    sojourn: Sojourn | None = field(default=None, repr=False, compare=False)

    @property
    def throughput(self) -> float:
        """Completions per second: everything admitted is completed."""
        return self.arrival_rate * (1 - self.p_block)

    @property
    def shed_rate(self) -> float:
        """Refusals per second."""
        return self.arrival_rate * self.p_block

    @property
    def in_service(self) -> float:
        """Mean busy workers."""
        return self.throughput * self.service_time_s

    @property
    def in_system(self) -> float:
        """Mean jobs waiting and running."""
        return self.backlog + self.in_service

    @property
    def sojourn_s(self) -> float:
        """Mean time from admission to completion."""
        return self.wait_s + self.service_time_s

    @property
    def utilization(self) -> float:
        """Carried: busy workers over workers."""
        return self.in_service / self.workers

    @property
    def offered_utilization(self) -> float:
        """λ/(cμ), which an overload brings above 1."""
        return self.arrival_rate * self.service_time_s / self.workers

    def sojourn_quantile(self, q: float) -> float:
        """The time within which a share ``q`` of the admitted jobs is done.

        Raises:
            ScenarioError: q is not in [0, 1 − 10⁻⁹], or the model knows means only.
        """
        if self.sojourn is None:
            remedy = "Use a model with exponential service times, or the simulated twin."
            raise ScenarioError("q", q, "asked of a model that knows the whole distribution", remedy)
        return self.sojourn.quantile(q)
