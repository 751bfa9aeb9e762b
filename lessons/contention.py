"""Many clients change one row: the experiment that made jitter famous, as a model of its own.

Each client reads the row's version, and writes if nobody else has written meanwhile (compare and set). Whoever comes
too late waits as its backoff policy says, and starts again with the read. The server needs no time; every message takes
|N(10, 2)| ticks. A *call* is a write; reads are not counted.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, and its simulator, whose
conventions these are: base 5 and cap 2000 ticks, and the first retry has the exponent 1, so the ceiling 2 · base.
(Elsewhere in the workbook the first retry has the ceiling base.) Decorrelated jitter has no exponent; it starts at the
base in both.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from demo_workers.fields import Section, choice, integer, number
from demo_workers.policies import backoff
from demo_workers.policies.backoff import BackoffState, Step
from demo_workers.variates import Stream, variate, variates
from lessons.theory.bounds import whole
from lessons.twin.confidence import half_width, mean
from lessons.twin.family import MOST
from lessons.twin.progress import Progress

Policy = Literal["none", "fixed", "exponential", "full", "equal", "decorrelated"]

WAITS: Mapping[str, Callable[[BackoffState, float, float, float, float], Step]] = {
    # nobody gives up here: without backoff one tries again at once
    "none" if name == "immediate" else name: wait
    for name, wait in backoff.POLICIES.items()
}
"""The workbook's own policies, by the names of this experiment."""

EXPONENT_1 = BackoffState(retry=1)
"""As if one retry had been made: so the first one has the ceiling 2 · base."""

BLOCK = 64
"""Messages whose dice are thrown together, which is some times faster."""
_READ = -1
_normal = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Contention(Section):
    """One setting of the experiment; times in ticks.

    Attributes:
        clients: how many, each with one change to make.
        policy: how long a client waits before it tries again.
        base_ticks, cap_ticks: of the policy.
        hop_ticks, hop_deviation_ticks: mean and standard deviation of what a message takes; its absolute value counts.
    """

    clients: int = integer(100, 1, 1000, "Without backoff the work grows with its square.")
    policy: Policy = choice("full", Policy)
    base_ticks: float = number(5.0, 0.0, 1e6, "A message takes some ten ticks; the experiment used 5.", above=True)
    cap_ticks: float = number(2000.0, 0.0, 1e9, "The experiment used 2000.", above=True)
    hop_ticks: float = number(10.0, 0.0, 1e6, "The experiment used 10.")
    hop_deviation_ticks: float = number(2.0, 0.0, 1e6, "The experiment used 2; with 0 all clients march in step.")


class Played(NamedTuple):
    """What one seed gave: how many writes were sent, and when the last client knew of its success (ticks)."""

    calls: int
    finish_time: float


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What all seeds gave for one setting."""

    setting: Contention
    played: Sequence[Played]

    @property
    def calls(self) -> float:
        """Writes sent until everybody has succeeded, mean over the seeds."""
        return mean(self._values("calls")) or 0.0

    @property
    def finish_time(self) -> float:
        """When the last client knew of its success (ticks), mean over the seeds."""
        return mean(self._values("finish_time")) or 0.0

    def to_dict(self) -> dict[str, float | None]:
        """The keys of the command line's ``--json``; ``_ci95`` is half an interval, None of a single seed."""
        found: dict[str, float | None] = {"calls": self.calls, "finish_time": self.finish_time}
        return found | {f"{name}_ci95": half_width(self._values(name)) for name in found}

    def _values(self, name: str) -> list[float]:
        return [float(getattr(one, name)) for one in self.played]


def contend(setting: Contention, seeds: int = 50, *, progress: Progress | None = None) -> Findings:
    """Play a setting with the seeds 0, 1, 2, …

    Two policies meet the same weather: the n-th message of a client takes as long under each.

    Args:
        setting: what to play.
        seeds: how many.
        progress: hears how many are done, and of how many.

    Raises:
        ScenarioError: the number of seeds is out of bounds.
    """
    whole("seeds", seeds, 1, MOST)
    played = []
    for seed in range(seeds):
        played.append(play(setting, seed))
        if progress is not None:
            progress(seed + 1, seeds)
    return Findings(setting=setting, played=played)


def play(setting: Contention, seed: int) -> Played:
    """Play a setting once, until everybody has succeeded."""
    clients = [_Client(setting, seed, number) for number in range(setting.clients)]
    version, calls, finish_time = 0, 0, 0.0
    # what arrives at the server: when, from whom, and the version it was read at (or that it is a read)
    due = [(client.hop(), number, _READ) for number, client in enumerate(clients)]
    heapq.heapify(due)
    while due:
        t, number, seen = due[0]
        client = clients[number]
        if seen == _READ:
            heapq.heapreplace(due, (t + client.hop() + client.hop(), number, version))
            continue
        calls += 1
        if seen == version:
            version += 1
            finish_time = max(finish_time, t + client.hop())
            heapq.heappop(due)
        else:
            heapq.heapreplace(due, (t + client.hop() + client.wait() + client.hop(), number, _READ))
    return Played(calls, finish_time)


class _Client:
    """One client's dice and the state of its backoff."""

    def __init__(self, setting: Contention, seed: int, number: int) -> None:
        self._setting, self._seed, self._number = setting, seed, number
        self._policy = WAITS[setting.policy]
        self._state = EXPONENT_1
        self._hops = _hops(setting, seed, number)

    def hop(self) -> float:
        """What its next message takes (ticks)."""
        return next(self._hops)

    def wait(self) -> float:
        """How long it waits now, having lost once more (ticks)."""
        u = variate(self._seed, Stream.JITTER, self._number, self._state.retry)
        base, cap = self._setting.base_ticks, self._setting.cap_ticks
        self._state, ticks = self._policy(self._state, 0.0, u, base, cap)
        return ticks


def _hops(setting: Contention, seed: int, client: int) -> Iterator[float]:
    """What each message of a client takes (ticks)."""
    mean, deviation = setting.hop_ticks, setting.hop_deviation_ticks
    for start in count(client << 32, BLOCK):
        for u in variates(seed, Stream.HOP, np.arange(start, start + BLOCK)).tolist():
            yield abs(mean + deviation * _normal.inv_cdf(max(u, 1e-16)))
