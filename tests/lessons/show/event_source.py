"""A small true model of the system that writes real event rows, whole or as time goes by.

Clients, a gate with an exact limit and c workers in FIFO order, played from the scenario's own tape. It keeps the
physics (no job begins before it was admitted, never more than c at once), which made-up arrays would not.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import time
from typing import Any, NamedTuple

import numpy as np

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.records.directory import Steer
from demo_workers.records.events import EVENT, ClientOutcome, Events, Kind, Outcome, Result
from demo_workers.scenario import Scenario
from demo_workers.tape import Tape
from demo_workers.variates import Stream, variate

NAN = math.nan
Row = tuple[Any, ...]


class FakeRun(NamedTuple):
    """The part of a Run that pictures need."""

    scenario: Scenario
    events: Events
    steering: list[Steer]


class Model:
    """Plays a scenario; ``advance(t)`` returns the rows up to second ``t``."""

    def __init__(self, scenario: Scenario, *, open_ended: bool = False) -> None:
        self.scenario = scenario
        self._tape = Tape(scenario, open_ended=open_ended)
        self._coming: list[tuple[float, int, int, float, BackoffState]] = []  # retries
        self._free = [(0.0, worker) for worker in range(scenario.service.workers)]
        self._hired = len(self._free)
        self._inside: list[float] = []  # ends of admitted jobs
        self._rows: list[tuple[float, int, Row]] = []
        self._count = 0

    def advance(self, until: float) -> Events:
        while min(self._tape.due_s, self._coming[0][0] if self._coming else math.inf) <= until:
            if self._coming and self._coming[0][0] <= self._tape.due_s:
                self._attempt(*heapq.heappop(self._coming))
            else:
                new = self._tape.pop()
                self._attempt(new.due_s, new.request, 1, new.service_time_s, BackoffState())
        ready = []
        while self._rows and self._rows[0][0] <= until:
            ready.append(heapq.heappop(self._rows)[2])
        return np.array(ready, EVENT)

    def steer(self, t: float, scenario: Scenario) -> None:
        self._tape.steer(t, scenario)
        grow = scenario.service.workers - len(self._free)
        new = [(t, self._hired + n) for n in range(grow)]
        self._free = sorted(self._free)[: scenario.service.workers] + new
        self._hired += len(new)
        self.scenario = scenario

    def _attempt(self, due: float, request: int, attempt: int, service: float, state: BackoffState) -> None:
        limit, retry, sent = self.scenario.admission.limit, self.scenario.retry, due + 0.001
        self._put(Kind.SENT, request, attempt, sent, actor=request % 50, value=due)
        while self._inside and self._inside[0] <= sent:
            heapq.heappop(self._inside)
        depth, shown = len(self._inside), -1 if limit is None else limit
        if limit is not None and depth >= limit:
            self._put(Kind.DECIDED, request, attempt, sent, code=Outcome.SHED, status=503, depth=depth, limit=shown)
            self._close(sent + 0.001, request, attempt, service, state, ClientOutcome.REFUSED, 503)
            return
        self._put(Kind.DECIDED, request, attempt, sent, code=Outcome.ADMITTED, depth=depth + 1, limit=shown)
        free, worker = self._free.pop(self._free.index(min(self._free))) if self._free else (math.inf, -1)
        start = max(sent + 0.001, free)
        end = start + service
        self._free.append((end, worker))
        heapq.heappush(self._inside, end)
        self._put(Kind.STARTED, request, attempt, start, actor=worker)
        self._put(Kind.ENDED, request, attempt, end, actor=worker, code=Result.OK)
        patience = due + (math.inf if retry.timeout_s is None else retry.timeout_s)
        if end <= patience:
            self._close(end + 0.001, request, attempt, service, state, ClientOutcome.SUCCEEDED, 200)
        else:
            self._close(patience, request, attempt, service, state, ClientOutcome.TIMED_OUT, 0)

    def _close(
        self,
        t: float,
        request: int,
        attempt: int,
        service: float,
        state: BackoffState,
        code: ClientOutcome,
        status: int,
    ) -> None:
        retry, wait = self.scenario.retry, NAN
        if code != ClientOutcome.SUCCEEDED and attempt < retry.attempts:
            u = variate(self.scenario.seed, Stream.JITTER, request, attempt)
            state, wait = POLICIES[retry.policy](state, t, u, retry.base_s, retry.cap_s)
            heapq.heappush(self._coming, (t + wait, request, attempt + 1, service, state))
        self._put(Kind.ANSWERED, request, attempt, t, code=code, status=status, value=wait)

    def _put(
        self, kind: Kind, request: int, attempt: int, t: float, *, code: int = 0, status: int = 0, actor: int = -1,
        depth: int = -1, limit: int = -1, value: float = NAN,
    ) -> None:  # fmt: skip
        self._count += 1
        row = (kind, code, status, attempt, 0, actor, request, depth, limit, t, value)
        heapq.heappush(self._rows, (t, self._count, row))


def play(scenario: Scenario, drain_s: float = 120.0) -> FakeRun:
    """The whole scenario at once."""
    return FakeRun(scenario, Model(scenario).advance(scenario.load.duration_s + drain_s), [])


class ModelRun:
    """A load going on, in real time; what ``Stack.begin`` returns."""

    def __init__(self, scenario: Scenario, *, open_ended: bool, fails: Exception | None = None) -> None:
        self.scenario, self.open_ended, self.steering = scenario, open_ended, list[Steer]()
        self._model = Model(scenario, open_ended=open_ended)
        self._origin, self._over = time.monotonic(), asyncio.Event()
        self._rows: list[Events] = []
        self._told = 0
        self._fails, self.stops = fails, 0

    def now(self) -> float:
        return time.monotonic() - self._origin

    def poll(self) -> Events:
        self._advance()
        told, self._told = self._told, len(self._rows)
        return np.concatenate([np.empty(0, EVENT), *self._rows[told:]])

    def _advance(self) -> None:
        """What has happened by now; a run that is over gets no more rows, as a real one does not."""
        if not self._over.is_set():
            self._rows.append(self._model.advance(self.now()))

    def _end(self) -> FakeRun:
        self._advance()
        self._over.set()
        return FakeRun(self.scenario, np.concatenate([np.empty(0, EVENT), *self._rows]), self.steering)

    async def steer(self, **knobs: object) -> None:
        self.scenario = self.scenario.steered(**knobs)
        self._model.steer(self.now(), self.scenario)
        self.steering += [Steer(self.now(), knob, value) for knob, value in knobs.items()]

    async def finished(self) -> FakeRun:
        left = None if self.open_ended else max(self.scenario.load.duration_s - self.now(), 0.01)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), left)
        run = self._end()
        if self._fails:
            raise self._fails
        return run

    async def stop(self) -> FakeRun:
        self.stops += 1
        return self._end()


class ModelStack:
    """What a panel needs of a Stack. ``fails`` is raised by the next run's end, ``refuses`` by ``begin``."""

    def __init__(self, *, fails: Exception | None = None, refuses: Exception | None = None) -> None:
        self.fails, self.refuses = fails, refuses
        self.runs: list[ModelRun] = []

    async def begin(self, scenario: Scenario, *, open_ended: bool = False) -> ModelRun:
        if self.refuses:
            raise self.refuses
        self.runs.append(ModelRun(scenario, open_ended=open_ended, fails=self.fails))
        return self.runs[-1]
