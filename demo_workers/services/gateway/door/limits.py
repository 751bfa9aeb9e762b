"""The limit in force: the scenario's, or a tighter one that follows how long jobs take."""

from __future__ import annotations

import time

from demo_workers.policies.admission import ADMIT, Adaptive
from demo_workers.policies.admission.adaptive import observe
from demo_workers.scenario import Admission

MOST = 100_000
"""Jobs whose admission is remembered; past that the oldest are forgotten and teach nothing."""


class Limits:
    """Made anew for each run, so that none inherits what another has learnt."""

    def __init__(self, admission: Admission) -> None:
        self._state = Adaptive()
        self._came: dict[str, float] = {}
        self.steer(admission)

    def steer(self, admission: Admission) -> None:
        """Other rules; what was learnt is kept."""
        self._admission, self._hook = admission, admission.hook("admit")
        self.in_force = self._tightest()

    def came(self, job_id: str) -> None:
        """A job was let in."""
        self._came[job_id] = time.monotonic()
        if len(self._came) > MOST:
            self.gone(next(iter(self._came)))

    def finished(self, job_id: str, depth: int) -> float | None:
        """A job is done; ``depth`` jobs were inside, this one included. Returns its sojourn (seconds) if known."""
        came = self._came.pop(job_id, None)
        if came is None:
            return None
        now = time.monotonic()
        if self._hook == "adaptive":
            self._state = observe(self._state, now, now - came, depth, self._admission.gradient_tolerance)
            self.in_force = self._tightest()
        return now - came

    def gone(self, job_id: str) -> None:
        """A job has left without being done."""
        self._came.pop(job_id, None)

    def _tightest(self) -> int | None:
        most = ADMIT[self._hook](self._state)
        given = self._admission.limit
        if most == float("inf"):
            return given
        return int(most) if given is None else min(given, int(most))
