"""The closed loop: each client thinks, sends one request, waits for its end, and thinks again.

What is to come depends on when requests end, so this tape is told. All else is drawn as for the open one: request
cycle · clients + client has its own think time and service time, keyed by its number, whoever else is how fast.
"""

from __future__ import annotations

import heapq
import math

import numpy as np

from demo_workers.scenario import Scenario
from demo_workers.tape import Request, Tape, drawn
from demo_workers.variates import Stream, variate, variates

LEAST_CYCLE_S = 0.001
"""A client begins no two requests within this time. Without it, one that does not think and is refused at once would
go round for ever in no time: the twin would never get past that instant, the live system would do nothing else."""


class ClosedTape:
    """The requests of N clients, with a think time (exponential) before each; knobs may turn on the way.

    Args:
        scenario: what to play; ``load.clients`` and ``load.think_time_s`` count.
        open_ended: go on past ``duration_s`` until told to stop. Else no request begins later than that.
    """

    def __init__(self, scenario: Scenario, *, open_ended: bool = False) -> None:
        load = scenario.load
        self._scenario, self._clients, self._mean_s = scenario, load.clients, load.think_time_s
        self._over_s = math.inf if open_ended else load.duration_s
        first = variates(scenario.seed, Stream.THINK, np.arange(load.clients)).tolist()
        self._thinking = [(-math.log1p(-u) * self._mean_s, client) for client, u in enumerate(first)]
        heapq.heapify(self._thinking)  # (when the think time is over, the request that comes then)
        self._begun_s: dict[int, float] = {}  # requests that are out

    @property
    def due_s(self) -> float:
        """When the next request comes (seconds); infinity when none will unless another ends."""
        if not self._thinking or self._thinking[0][0] > self._over_s:
            return math.inf
        return self._thinking[0][0]

    def pop(self) -> Request:
        """The next request; its client waits for its end.

        Raises:
            StopIteration: there is none.
        """
        if math.isinf(self.due_s):
            raise StopIteration
        due_s, number = heapq.heappop(self._thinking)
        self._begun_s[number] = due_s
        return drawn(self._scenario, number, due_s, number % self._clients)

    def ended(self, request: int, t: float) -> None:
        """A request has ended at second ``t``, well or badly: its client thinks again."""
        following = request + self._clients
        think_s = -math.log1p(-variate(self._scenario.seed, Stream.THINK, following)) * self._mean_s
        due_s = max(t + think_s, self._begun_s.pop(request) + LEAST_CYCLE_S)
        heapq.heappush(self._thinking, (due_s, following))

    def steer(self, t: float, scenario: Scenario) -> None:
        """From second ``t`` on play another think time and another service.

        Whoever is thinking has as large a share of the new think time left as of the old one.
        """
        old_s, self._mean_s = self._mean_s, scenario.load.think_time_s
        self._scenario = scenario
        if old_s > 0 and old_s != self._mean_s:
            scale = self._mean_s / old_s
            self._thinking = [(due if due <= t else t + (due - t) * scale, i) for due, i in self._thinking]
            heapq.heapify(self._thinking)


def tape_of(scenario: Scenario, *, open_ended: bool = False) -> Tape | ClosedTape:
    """The tape of the scenario's kind of load."""
    kind = ClosedTape if scenario.load.kind == "closed" else Tape
    return kind(scenario, open_ended=open_ended)


__all__ = ["LEAST_CYCLE_S", "ClosedTape", "tape_of"]
