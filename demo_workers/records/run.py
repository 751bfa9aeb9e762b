"""``Run``: everything that is shown, graded or asserted is a function of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from demo_workers.records import tables
from demo_workers.records.directory import RunDirectory, Steer
from demo_workers.records.events import Events, Kind, Result, read_events
from demo_workers.records.ledger import Ledger
from demo_workers.records.measures import Measures
from demo_workers.records.tables import Table
from demo_workers.records.witnesses import Witnesses
from demo_workers.scenario import Scenario

Source = Literal["live", "twin", "replay"]

UNFINISHED = "whoever made this run died before it was over"
"""Why a run ended whose manifest was never completed."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was asked for, what was done to it, and what happened.

    Attributes:
        scenario: as it was at the start; ``steering`` says what changed.
        source: where it comes from.
        steering: (t, knob, value) entries in order; seconds since the run's origin.
        events: the rows both tables are made of.
        witnesses: what others counted, None for a twin.
        invalid: why the figures of this run must not be trusted, or "".
        ended_by: the fault that ended it early, or "".
        notes: other remarks about the conditions, for example shared cores.
        directory: where it is recorded, if it is.
        torn: rows that were cut short by a crash and dropped.
    """

    scenario: Scenario
    source: Source
    steering: Sequence[Steer]
    events: Events
    witnesses: Witnesses | None = None
    invalid: str = ""
    ended_by: str = ""
    notes: Sequence[str] = ()
    directory: Path | None = None
    torn: int = 0
    manifest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Run:
        """A recorded run by its path, its name in the state directory, or ``"last"``.

        Raises:
            ScenarioError: there is no such run.
        """
        return cls.read(RunDirectory.find(name), "replay")

    @classmethod
    def read(cls, directory: RunDirectory, source: Source) -> Run:
        """The run in a directory, from its files alone."""
        manifest = directory.manifest()
        clients, torn_clients = read_events(directory.clients)
        gateway, torn_gateway = read_events(directory.gateway)
        witnesses = manifest.get("witnesses")
        return cls(
            scenario=Scenario.from_dict(manifest["scenario"]),
            source=source,
            steering=directory.steering(),
            events=np.concatenate([clients, gateway]),
            witnesses=Witnesses.from_dict(witnesses) if witnesses else None,
            invalid=manifest.get("invalid", ""),
            ended_by=manifest.get("ended_by", UNFINISHED),
            notes=manifest.get("notes", ()),
            directory=directory.path,
            torn=torn_clients + torn_gateway,
            manifest=manifest,
        )

    @cached_property
    def attempts(self) -> Table:
        """One row per attempt; see ``tables.ATTEMPT``."""
        return tables.attempts(self.events)

    @cached_property
    def executions(self) -> Table:
        """One row per execution; see ``tables.EXECUTION``. When the run was ended by a fault, what was
        accepted and never answered is lost, and has a row that says so.
        """
        found = tables.executions(self.events)
        if not self.ended_by:
            return found
        found["result"][found["result"] == Result.PENDING] = Result.LOST
        decided = self.attempts[~np.isnan(self.attempts["admitted_s"])]
        unseen = decided[~np.isin(tables.key(decided), tables.key(found))]
        lost = np.zeros(len(unseen), tables.EXECUTION)
        for name in ("picked_s", "started_s", "finished_s", "left_s"):
            lost[name] = np.nan
        lost["request"], lost["attempt"], lost["worker"] = unseen["request"], unseen["attempt"], -1
        lost["result"] = Result.LOST
        return np.concatenate([found, lost])

    @cached_property
    def fates(self) -> NDArray[np.int64]:
        """What became of each admitted attempt (a ``Result``); 0 for those not admitted or still open."""
        return tables.fates(self.attempts, self.executions)

    @cached_property
    def ledger(self) -> Ledger:
        """The books of the run, reconciled with the witnesses."""
        return Ledger.of(self)

    @cached_property
    def measures(self) -> Measures:
        """Averages over [warm-up, duration]."""
        return Measures.of(self)

    @property
    def valid(self) -> bool:
        """Whether the figures can be trusted; see ``invalid``."""
        return not self.invalid

    @property
    def worker_deaths(self) -> int:
        """Workers, and work horses of workers that live on, that died while it ran."""
        return sum(entry.knob in ("worker_died", "horse_died") for entry in self.steering)

    @cached_property
    def length_s(self) -> float:
        """Seconds of load: ``duration_s``, or when an open-ended or broken run was ended."""
        planned = self.scenario.load.duration_s
        if self.ended_by == UNFINISHED and len(self.events):
            planned = min(planned, float(np.nanmax(self.events["t"])))
        return float(self.manifest.get("length_s", planned))

    @cached_property
    def requests(self) -> Table:
        """The last attempt of each request a client made, sent or held back; its outcome is the request's end."""
        rows = tables.pick(self.attempts, ~np.isnan(self.attempts["due_s"]))
        last = np.append(rows["request"][1:] != rows["request"][:-1], True) if len(rows) else np.zeros(0, bool)
        return tables.pick(rows, last)

    def rows(self, kind: Kind) -> Events:
        """The events of one kind."""
        return np.asarray(self.events[self.events["kind"] == kind])
