"""What theory says about a scenario, by the names that runs and the twin use too."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from demo_workers.records.measures import Measures
from lessons.theory.sojourn import Sojourn

KEYS = tuple(f.name for f in fields(Measures))
"""The keys that ``run``, ``simulate`` and ``predict`` share."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Rates per second, times in seconds, None where a key does not apply; definitions as in ``Measures``.

    Attributes:
        model: in Kendall's notation, for example ``M/M/3/9``.
        why: which model and why, in words.
        approximate: what the model leaves out or only guesses, one sentence each; empty when it is exact.
        settling_s: how long a run should be before its averages are those of the long run; no part of ``to_dict``.
        sojourn: the distribution of the time from admission to completion, where it is known; no part of ``to_dict``.
    """

    utilization: float
    offered_utilization: float
    p_wait: float
    p_block: float
    backlog: float
    in_system: float
    in_service: float
    wait_s: float
    sojourn_s: float
    sojourn_p50_s: float | None
    sojourn_p95_s: float | None
    sojourn_p99_s: float | None
    throughput: float
    goodput: float | None
    shed_rate: float
    retry_amplification: float | None
    model: str
    why: str
    approximate: tuple[str, ...]
    settling_s: float = 0.0
    sojourn: Sojourn | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The keys of the command line's ``--json``: the shared ones, then model, why and approximate."""
        shown = {name: getattr(self, name) for name in KEYS}
        return shown | {"model": self.model, "why": self.why, "approximate": list(self.approximate)}
