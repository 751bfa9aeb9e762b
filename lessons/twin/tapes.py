"""A scenario's whole tape as arrays: what ``demo_workers.tape.Tape`` gives one by one, turned knobs included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo_workers.scenario import MAX_SERVICE_S, Scenario, Service
from demo_workers.tape import LEAST_RATE, constant, growth, profile
from demo_workers.variates import Stream, variates

Floats = NDArray[np.float64]


Dice = Callable[[int, Stream, int], Floats]


def throw(seed: int, stream: Stream, n: int) -> Floats:
    """The first ``n`` variates of a stream."""
    return variates(seed, stream, np.arange(n))


class Tapes(NamedTuple):
    """One entry per request, by its number: when it is due (seconds), its service time (seconds), client, urgency.

    Of a closed loop nobody knows when a request will be due; ``thinks`` is how long its client thinks before it, as a
    multiple of the mean. Its service times are those of the run's first scenario, and nobody is urgent: what the knobs
    say by then is the engine's affair.
    """

    due_s: Floats
    service_s: Floats
    client: NDArray[np.int64]
    urgent: NDArray[np.int64]
    thinks: Floats = np.empty(0)


class Change(NamedTuple):
    """From second ``t`` on, this scenario is in force."""

    t: float
    scenario: Scenario


def open_tape(scenario: Scenario, changes: Iterable[Change] = (), end_s: float | None = None) -> Tapes:
    """The tape of an open loop.

    Args:
        scenario: as it is at the start.
        changes: what is in force from when on, in order of time.
        end_s: where the tape ends, if not at the load's ``duration_s``; past that the last rate goes on.
    """
    changes = list(changes)
    due_s = arrivals(scenario, changes, end_s)
    n, seed = len(due_s), scenario.seed
    client = clients_of(scenario, n)
    u, urgent = throw(seed, Stream.SERVICE, n), throw(seed, Stream.URGENT, n)
    service_s, urgency = np.empty(n), np.empty(n, np.int64)
    in_force = [Change(0.0, scenario), *changes]
    # a request that is due in the very moment of a change came before it
    starts = np.searchsorted(due_s, [change.t for change in in_force], side="right")
    starts[0] = 0
    for i, j, (_, then) in zip(starts, [*starts[1:], n], in_force, strict=True):
        service_s[i:j] = service_times(then.service, u[i:j])
        urgency[i:j] = urgent[i:j] < then.load.urgent_share
    return Tapes(due_s, service_s, client, urgency)


def arrivals(
    scenario: Scenario, changes: Iterable[Change] = (), end_s: float | None = None, dice: Dice = throw
) -> Floats:
    """When requests are due (seconds); arguments as of ``open_tape``, and how to throw dice."""
    stretches = _stretches(scenario, list(changes), end_s)
    upto = np.concatenate([[0.0], np.cumsum([_area(s) for s in stretches])])
    return _invert(stretches, _gaps(scenario, upto[-1], dice), upto)


def expected(scenario: Scenario, changes: Iterable[Change] = (), end_s: float | None = None) -> float:
    """How many requests an open loop is expected to have; arguments as of ``open_tape``."""
    return float(sum(_area(s) for s in _stretches(scenario, list(changes), end_s)))


def clients_of(scenario: Scenario, n: int) -> NDArray[np.int64]:
    """Who sends each of the first ``n`` requests of an open loop."""
    drawn: NDArray[np.int64] = (throw(scenario.seed, Stream.CLIENT, n) * scenario.load.clients).astype(np.int64)
    return drawn


def service_times(service: Service, u: Floats) -> Floats:
    """The service times (seconds) whose cumulative probabilities are ``u``, cut at ``MAX_SERVICE_S``."""
    mean = service.service_time_s
    if service.distribution == "deterministic" or (service.distribution == "lognormal" and service.cv == 0):
        return np.full(len(u), mean)
    if service.distribution == "exponential":
        found = _exponential(u)
        found *= mean
        return np.minimum(found, MAX_SERVICE_S, out=found)
    variance = np.log1p(service.cv**2)
    normal = NormalDist()
    # the same algorithm as the live tape's, value by value: NumPy has no inverse normal distribution
    z: Floats = np.array([normal.inv_cdf(v) for v in np.clip(u, 1e-16, 1 - 1e-16).tolist()])
    return np.asarray(np.minimum(np.exp(np.log(mean) - variance / 2 + np.sqrt(variance) * z), MAX_SERVICE_S))


class _Stretch(NamedTuple):
    """The rate moves linearly from ``rate`` to ``rate_end`` (per second)."""

    start_s: float
    end_s: float
    rate: float
    rate_end: float


def _stretches(scenario: Scenario, changes: list[Change], end_s: float | None) -> list[_Stretch]:
    """The rate that was in force over the whole run, in stretches without a kink."""
    load = scenario.load
    plain = [_Stretch(*segment) for segment in profile(load)]
    if end_s is not None:
        last = plain[-1]
        if end_s > last.end_s:
            plain.append(_Stretch(last.end_s, end_s, last.rate_end, last.rate_end))
        ends = [(s, min(s.end_s, end_s)) for s in plain if s.start_s < end_s]
        plain = [s._replace(end_s=end, rate_end=_rate(s, end)) for s, end in ends]
    found: list[_Stretch] = []
    cuts = [0.0, *(max(change.t, 0.0) for change in changes), np.inf]
    base, loads = load, [load, *(change.scenario.load for change in changes)]
    for start, stop, then in zip(cuts[:-1], cuts[1:], loads, strict=True):
        if base.arrival_rate < LEAST_RATE <= then.arrival_rate:  # nothing to scale: from here on the new rate
            base = constant(then.arrival_rate)
            plain = [_Stretch(0.0, plain[-1].end_s, then.arrival_rate, then.arrival_rate)]
        scale = growth(base, then.arrival_rate)
        for s in plain:
            a, b = max(s.start_s, start), min(s.end_s, stop)
            if b > a:
                found.append(_Stretch(a, b, _rate(s, a) * scale, _rate(s, b) * scale))
    return found


def _area(s: _Stretch) -> float:
    return (s.end_s - s.start_s) * (s.rate + s.rate_end) / 2


def _rate(s: _Stretch, t: float) -> float:
    if s.rate == s.rate_end:
        return s.rate
    return s.rate + (t - s.start_s) / (s.end_s - s.start_s) * (s.rate_end - s.rate)


def _invert(stretches: list[_Stretch], targets: Floats, upto: Floats) -> Floats:
    """When the cumulative rate, which is ``upto`` at the ends of the stretches, reaches each of the targets."""
    ends = np.searchsorted(targets, upto[1:], side="right")
    found = np.empty(ends[-1])
    for s, reached, i, j in zip(stretches, upto, [0, *ends], ends, strict=False):
        left = found[i:j]
        np.subtract(targets[i:j], reached, out=left)
        if s.rate == s.rate_end:
            left /= s.rate
        else:
            slope = (s.rate_end - s.rate) / (s.end_s - s.start_s)
            # the stable root of rate·d + slope·d²/2 = left
            root = np.sqrt(np.maximum(s.rate * s.rate + 2 * slope * left, 0.0))
            left[:] = 2 * left / (s.rate + root)
        left += s.start_s
    return found


def _gaps(scenario: Scenario, total: float, dice: Dice) -> Floats:
    """Sums of the unit gaps, at least up to ``total``."""
    if scenario.load.kind == "uniform":
        return np.arange(1, int(total) + 2, dtype=float)
    n = int(total + 6 * np.sqrt(total) + 20)
    while True:
        sums = _exponential(dice(scenario.seed, Stream.ARRIVAL, n))
        np.cumsum(sums, out=sums)
        if sums[-1] > total:
            return sums
        n *= 2


def _exponential(u: Floats) -> Floats:
    """−log(1 − u)."""
    found = np.negative(u)
    np.log1p(found, out=found)
    return np.negative(found, out=found)


def closed_tape(scenario: Scenario, cycles: int) -> Tapes:
    """The first ``cycles`` requests of each client of a closed loop.

    Request cycle · clients + client is what that client sends after its think number ``cycle``.
    """
    load, seed = scenario.load, scenario.seed
    n = cycles * load.clients
    thinks = _exponential(throw(seed, Stream.THINK, n))
    service_s = service_times(scenario.service, throw(seed, Stream.SERVICE, n))
    return Tapes(np.full(n, np.nan), service_s, np.arange(n) % load.clients, np.zeros(n, np.int64), thinks)
