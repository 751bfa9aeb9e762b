"""Which model fits a scenario, and why."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from demo_workers.errors import ScenarioError
from demo_workers.scenario import Scenario, Service
from demo_workers.tape import profile, service_time
from lessons.theory import closed_loop, mm1, mmc, mmck, random_sum, two_moments
from lessons.theory.bounds import number
from lessons.theory.steady_state import SteadyState
from lessons.theory.wait_and_service import Slices, slices

QUANTILES = "Quantiles take the waits as exponential."
AS_ONE_WORKER = "Quantiles take the waits to spread as with one worker that is so many times as fast."
TWO_MOMENTS = "The mean wait is an approximation from means and variations alone, good at high load."
EVEN = "Evenly spaced arrivals are a correction to it that is rough at low load."
LIMITED = "The limit is scaled from exponential work: p_block is good to some 0.03 (0.06 at cv 2), waits to a fifth."
TAKEN_EXPONENTIAL = "The work is taken as exponential, as this model needs."
COST_EXPONENTIAL = "The time a job holds its worker is taken as exponential together with RQ's own time in it."


class Choice(NamedTuple):
    """A model's answer, its name, why it was chosen, and what is approximate in it."""

    state: SteadyState
    model: str
    why: str
    approximate: tuple[str, ...]


def choose(scenario: Scenario, stated_rate: float | None, held_s: float, after_s: float) -> Choice:
    """The model for a scenario.

    Args:
        scenario: what was asked about.
        stated_rate: arrivals per second instead of the scenario's own.
        held_s: how long a job holds its worker on average, seconds.
        after_s: how much of that comes after its client has been told.

    Raises:
        UnstableQueue: no steady state exists.
        ScenarioError: the rate changes and none was stated.
    """
    if scenario.load.kind == "closed":
        return _closed(scenario, held_s, after_s)
    rate = _rate(scenario) if stated_rate is None else number("arrival_rate", stated_rate)
    if scenario.load.kind != "uniform" and scenario.service.distribution == "exponential":
        return _exponential(scenario, rate, held_s)
    return _general(scenario, rate, held_s)


def cv_of(scenario: Scenario) -> float:
    """Coefficient of variation of the work."""
    return {"exponential": 1.0, "deterministic": 0.0}.get(scenario.service.distribution, scenario.service.cv)


@lru_cache(maxsize=64)
def work_of(service: Service) -> Slices:
    """The service times of the tape; remembered, since a slider asks again and again."""
    return slices(partial(service_time, service))


def _rate(scenario: Scenario) -> float:
    rates = sorted({rate for stretch in profile(scenario.load) for rate in (stretch.rate, stretch.rate_end)})
    if len(rates) > 1:
        shown = ", ".join(f"{rate:g}" for rate in rates)
        bound = "a load whose rate stays the same (poisson, uniform or closed), or one stretch of it"
        remedy = f"State one rate (arrival_rate, or --at-rate): this load goes through {shown} per second."
        raise ScenarioError("load.kind", scenario.load.kind, bound, remedy)
    return rates[0]


def _exponential(scenario: Scenario, rate: float, held_s: float) -> Choice:
    workers, limit = scenario.service.workers, scenario.admission.limit
    rough = (COST_EXPONENTIAL,) if held_s > scenario.service.service_time_s else ()
    if limit is not None:
        state, why = mmck.steady_state(rate, held_s, workers, limit), "The places beyond the workers are geometric."
        if limit <= workers:
            why = "With no place to wait this is Erlang B."
    elif workers == 1:
        state, why = mm1.steady_state(rate, held_s), "The textbook's first queue."
    else:
        state, why = mmc.steady_state(rate, held_s, workers), "Who waits is Erlang C."
    return Choice(state, _kendall(scenario, "M", "M"), _facts(scenario, "Random", why), rough)


def _general(scenario: Scenario, rate: float, held_s: float) -> Choice:
    workers, limit, even = scenario.service.workers, scenario.admission.limit, scenario.load.kind == "uniform"
    cv = cv_of(scenario)
    cs = cv * scenario.service.service_time_s / held_s  # what RQ adds hardly varies
    state = two_moments.steady_state(rate, held_s, workers, limit, ca=0.0 if even else 1.0, cs=cs)
    if limit is None and not even:
        return _without_limit(scenario, state)
    rough: tuple[str, ...] = (QUANTILES, TWO_MOMENTS, *((EVEN,) if even else ()))
    if even and cv == 0 and state.offered_utilization <= min(1, (limit or workers) / workers):
        why, rough = "A clock feeds a clock: nobody waits.", ()
    elif not even and limit is not None and limit <= workers:
        why, rough = "With no place to wait only the mean of the work matters: Erlang B.", ()
    elif limit is not None:
        why, rough = "M/M/c/K, scaled by how much the times vary.", (*rough, LIMITED)
    else:
        why = f"The mean wait is {'Kingman' if workers == 1 else 'Allen and Cunneen'}'s."
    why = _facts(scenario, "Evenly spaced" if even else "Random", why)
    return Choice(state, _kendall(scenario, "D" if even else "M", _letter(scenario)), why, rough)


def _without_limit(scenario: Scenario, state: SteadyState) -> Choice:
    """Random arrivals of any work: Pollaczek-Khinchine, and its stretch to several workers."""
    service = scenario.service
    work = work_of(service)
    held = Slices(work.shares, work.times_s + (state.service_time_s - service.service_time_s))
    wait = random_sum.wait_survival(state.p_wait, state.offered_utilization, service.workers, held)
    why = "The mean wait is the Pollaczek-Khinchine formula's."
    rough: tuple[str, ...] = ()
    if service.workers > 1:
        why, rough = "The mean wait is Allen and Cunneen's.", (TWO_MOMENTS, AS_ONE_WORKER)
    model = _kendall(scenario, "M", _letter(scenario))
    return Choice(replace(state, wait_survival=wait), model, _facts(scenario, "Random", why), rough)


def _closed(scenario: Scenario, held_s: float, after_s: float) -> Choice:
    load, workers, limit = scenario.load, scenario.service.workers, scenario.admission.limit
    # a client thinks already while RQ puts its result away
    think_s = max(load.think_time_s - after_s, 0.1 * load.think_time_s)
    state = closed_loop.steady_state(load.clients, think_s, held_s, workers, limit)
    exponential = scenario.service.distribution == "exponential"
    rough = (COST_EXPONENTIAL,) if held_s > scenario.service.service_time_s else ()
    why = f"A closed loop of {_count(load.clients, 'client')}, {_count(workers, 'worker')}: the machine repairman."
    model = f"M/M/{workers}/{load.clients if limit is None else limit}/{load.clients}"
    return Choice(state, model, why, rough if exponential else (TAKEN_EXPONENTIAL,))


def _letter(scenario: Scenario) -> str:
    return {"exponential": "M"}.get(scenario.service.distribution, "G" if cv_of(scenario) else "D")


def _kendall(scenario: Scenario, arrivals: str, work: str) -> str:
    workers, limit = scenario.service.workers, scenario.admission.limit
    return f"{arrivals}/{work}/{workers}" if limit is None else f"{arrivals}/{work}/{min(workers, limit)}/{limit}"


def _facts(scenario: Scenario, arrivals: str, why: str) -> str:
    workers, limit = scenario.service.workers, scenario.admission.limit
    places = "no limit" if limit is None else f"at most {limit} waiting and running"
    idle = ""
    if limit is not None and limit < workers:
        idle = f" The limit leaves {_count(workers - limit, 'worker')} idle for ever."
    work = f"{scenario.service.distribution} work, {_count(workers, 'worker')}"
    return f"{arrivals} arrivals, {work}, {places}. {why}{idle}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
