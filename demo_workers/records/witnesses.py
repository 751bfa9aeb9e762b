"""What others counted while the record was written; plain data.

None of these numbers comes from the event files: the Lua script kept counters, RQ kept its registries, the clients
kept plain integers, the gateway kept plain integers, and the queue was looked at ten times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """Counts by independent parties; None where a witness could not speak (its process had died).

    Attributes:
        script: the Lua script's counters: ``admitted``, ``full``, ``duplicate``, ``dropped``.
        rq_finished: jobs of the run that RQ put into its finished registry, as (request, attempt) pairs.
        rq_failed: the same for its failed registry.
        rq_canceled: the same for its canceled registry.
        clients: counts kept by the load generator: ``attempts``, ``refused`` and so on.
        gateway: counts kept by the gateway.
        samples: rows (t, waiting, inside) seen in Redis; seconds since the run's origin, jobs.
    """

    script: Mapping[str, int] | None = None
    rq_finished: list[tuple[int, int]] | None = None
    rq_failed: list[tuple[int, int]] | None = None
    rq_canceled: list[tuple[int, int]] | None = None
    clients: Mapping[str, Any] | None = None
    gateway: Mapping[str, Any] | None = None
    samples: list[tuple[float, int, int]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Witnesses:
        """The inverse of ``to_dict``; lists become tuples again."""

        def pairs(value: Any) -> Any:
            return None if value is None else [tuple(pair) for pair in value]

        return cls(**{name: pairs(value) if isinstance(value, list) else value for name, value in data.items()})
