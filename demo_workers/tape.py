"""Scenario + seed → the requests to come: arrival time, service time, client.

Arrivals invert the cumulative rate Λ(t): request i comes when Λ has grown by E_1 + … + E_i, with E exponential of
mean 1 (Poisson) or always 1 (uniform). A knob turned at time t changes the rate from t on and nothing before it, so
that a replay with the same steering log meets the same requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import NamedTuple

from demo_workers.scenario import MAX_RATE, MAX_SERVICE_S, Load, Scenario, Service
from demo_workers.variates import Stream, variate

LEAST_RATE = 1e-9
"""Per second: below one request in thirty years there is nothing that could be scaled."""

_normal = NormalDist()


class Request(NamedTuple):
    """One request to come; times in seconds since the run's origin."""

    request: int
    due_s: float
    service_time_s: float
    client: int
    urgent: bool = False


class Segment(NamedTuple):
    """A stretch of the load over which the rate moves linearly from ``rate`` to ``rate_end`` (per second)."""

    start_s: float
    end_s: float
    rate: float
    rate_end: float


def profile(load: Load) -> list[Segment]:
    """The arrival rate over the whole run as consecutive segments that cover [0, duration_s]."""
    end = load.duration_s
    if load.kind == "ramp":
        return [Segment(0.0, end, load.arrival_rate, load.ramp_to_rate)]
    if load.kind == "spike":
        steps = [
            (0.0, load.arrival_rate),
            (load.spike_start_s, load.spike_rate),
            (load.spike_start_s + load.spike_length_s, load.arrival_rate),
        ]
    elif load.kind == "steps":
        steps = [(0.0, load.arrival_rate), *load.steps]
    else:
        steps = [(0.0, load.arrival_rate)]
    ends = [start for start, _ in steps[1:]] + [end]
    spans = [(start, min(stop, end), rate) for (start, rate), stop in zip(steps, ends, strict=True)]
    return [Segment(start, stop, rate, rate) for start, stop, rate in spans if stop > start]


def constant(rate: float) -> Load:
    """A load of this rate (per second) and no other."""
    return Load(kind="poisson", arrival_rate=rate)


def growth(load: Load, rate: float) -> float:
    """The factor that brings a load's ``arrival_rate`` to ``rate``, its whole profile with it, not beyond ``MAX_RATE``.

    1 where there is nothing to scale.
    """
    if load.arrival_rate < LEAST_RATE:
        return 1.0
    highest = max(max(segment.rate, segment.rate_end) for segment in profile(load))
    return min(rate / load.arrival_rate, MAX_RATE / max(highest, load.arrival_rate))


def service_time(service: Service, u: float) -> float:
    """The service time (seconds) whose cumulative probability is ``u``, cut at ``MAX_SERVICE_S``."""
    mean = service.service_time_s
    if service.distribution == "deterministic" or (service.distribution == "lognormal" and service.cv == 0):
        return mean
    if service.distribution == "exponential":
        return min(-mean * math.log1p(-u), MAX_SERVICE_S)
    variance = math.log1p(service.cv**2)
    z = _normal.inv_cdf(min(max(u, 1e-16), 1 - 1e-16))
    return min(math.exp(math.log(mean) - variance / 2 + math.sqrt(variance) * z), MAX_SERVICE_S)


def drawn(scenario: Scenario, request: int, due_s: float, client: int) -> Request:
    """A request with what is drawn for its number: its service time, and whether it is urgent."""
    seed, share = scenario.seed, scenario.load.urgent_share
    service_time_s = service_time(scenario.service, variate(seed, Stream.SERVICE, request))
    urgent = share > 0 and variate(seed, Stream.URGENT, request) < share
    return Request(request, due_s, service_time_s, client, urgent)


class Tape:
    """The requests of a scenario one after the other, with knobs that may turn on the way.

    Args:
        scenario: what to play.
        open_ended: go on past ``duration_s`` at the last rate, until told to stop.
    """

    def __init__(self, scenario: Scenario, *, open_ended: bool = False) -> None:
        self._scenario = scenario
        self._segments = profile(scenario.load)
        if open_ended:
            last = self._segments[-1]
            self._segments.append(Segment(last.end_s, math.inf, last.rate_end, last.rate_end))
        self._base = scenario.load  # the segments are given for this one
        self._scale = 1.0
        self._reached_s = 0.0  # the cumulative rate is used up to here
        self._request = 0
        self._left = self._gap(0)
        self._due_s = self._invert(self._reached_s, self._left)

    @property
    def due_s(self) -> float:
        """When the next request comes (seconds); infinity when there is none."""
        return self._due_s

    def pop(self) -> Request:
        """The next request; the tape moves on.

        Raises:
            StopIteration: there is none.
        """
        due = self._due_s
        if math.isinf(due):
            raise StopIteration
        i = self._request
        client = int(variate(self._scenario.seed, Stream.CLIENT, i) * self._scenario.load.clients)
        self._reached_s, self._request = due, i + 1
        self._left = self._gap(self._request)
        self._due_s = self._invert(due, self._left)
        return drawn(self._scenario, i, due, client)

    def ended(self, request: int, t: float) -> None:
        """A request has ended, which changes nothing: the open loop does not wait."""

    def __iter__(self) -> Iterator[Request]:
        while not math.isinf(self.due_s):
            yield self.pop()

    def steer(self, t: float, scenario: Scenario) -> None:
        """From second ``t`` on play another load's ``arrival_rate`` and another service.

        The whole profile is scaled by the new rate over the old one, so a spike stays a spike; from a rate that is
        almost 0, no further than to the highest rate that a scenario may have.
        """
        t = max(t, self._reached_s)
        self._left = max(self._left - self._cumulative(self._reached_s, t), 0.0)
        self._reached_s = t
        rate = scenario.load.arrival_rate
        if self._base.arrival_rate < LEAST_RATE <= rate:  # nothing to scale: from here on the constant new rate
            self._base = constant(rate)
            self._segments = [Segment(0.0, self._segments[-1].end_s, rate, rate)]
        self._scale = growth(self._base, rate)
        self._scenario = scenario
        self._due_s = self._invert(t, self._left)

    def _gap(self, index: int) -> float:
        if self._scenario.load.kind == "uniform":
            return 1.0
        return -math.log1p(-variate(self._scenario.seed, Stream.ARRIVAL, index))

    def _cumulative(self, start: float, end: float) -> float:
        total = 0.0
        for s in self._segments:
            a, b = max(start, s.start_s), min(end, s.end_s)
            if b > a:
                total += (b - a) * (_rate(s, a) + _rate(s, b)) / 2 * self._scale
        return total

    def _invert(self, start: float, left: float) -> float:
        for s in self._segments:
            a = max(start, s.start_s)
            if a >= s.end_s:
                continue
            rate = _rate(s, a) * self._scale
            slope = 0.0 if s.rate == s.rate_end else (s.rate_end - s.rate) / (s.end_s - s.start_s) * self._scale
            discriminant = rate * rate + 2 * slope * left
            if discriminant >= 0 and rate + math.sqrt(discriminant) > 0:
                # the stable root of rate·d + slope·d²/2 = left, also when slope is 0
                t = a + 2 * left / (rate + math.sqrt(discriminant))
                if t <= s.end_s:
                    return t
            left -= (s.end_s - a) * (rate + _rate(s, s.end_s) * self._scale) / 2 if math.isfinite(s.end_s) else 0.0
            left = max(left, 0.0)
        return math.inf


def _rate(segment: Segment, t: float) -> float:
    if segment.rate == segment.rate_end:
        return segment.rate
    share = (t - segment.start_s) / (segment.end_s - segment.start_s)
    return segment.rate + share * (segment.rate_end - segment.rate)
