"""Random settings for the comparison of the live system with its twin."""

from __future__ import annotations

import math
import random

from demo_workers.scenario import Admission, Load, Retry, Scenario, Service

SERVICE_S = 0.02, 0.12
MOST_RATE = 200.0
"""Requests per second. Clients, gateway, Redis and workers share the machine's cores; where those are full it is the
cores that would be measured, and the twin has none. A faster setting gets a longer service time instead."""
QUIET, OVERLOADED = (0.3, 0.85), (1.1, 2.5)
MOST_WORKERS = 4
MOST_ROOM = 15
"""Places in the queue; more would hardly fill up in a few seconds."""
LEAST_THINK_S = 0.1


def settings(seed: int, count: int, length_s: float) -> list[Scenario]:
    """So many settings, like ones together; the same seed gives the same ones."""
    dice = random.Random(seed)
    drawn = (_setting(dice, length_s) for _ in range(count))
    return sorted(drawn, key=lambda one: (one.service.workers, one.service.service_time_s))


def title(scenario: Scenario) -> str:
    """A setting in a few words."""
    load, service = scenario.load, scenario.service
    traffic = f"{load.arrival_rate:.0f}/s"
    if load.kind == "closed":
        traffic = f"{load.clients} clients, think {load.think_time_s:.2f} s"
    parts = [
        f"c = {service.workers}",
        f"S = {1000 * service.service_time_s:.0f} ms {service.distribution}",
        traffic,
        f"limit {scenario.admission.limit or 'none'}",
        *([f"{scenario.retry.attempts} attempts"] if scenario.retry.attempts > 1 else []),
        f"ρ = {offered(scenario):.2f}",
    ]
    return ", ".join(parts)


def offered(scenario: Scenario) -> float:
    """Offered utilization ρ; in a closed loop that of clients who never wait."""
    load, service = scenario.load, scenario.service
    rate = load.arrival_rate
    if load.kind == "closed":
        rate = load.clients / (load.think_time_s + service.service_time_s)
    return rate * service.service_time_s / service.workers


def _setting(dice: random.Random, length_s: float) -> Scenario:
    workers, overloaded = dice.randint(1, MOST_WORKERS), dice.random() < 0.4
    rho = dice.uniform(*(OVERLOADED if overloaded else QUIET))
    service_s = max(math.exp(dice.uniform(*map(math.log, SERVICE_S))), rho * workers / MOST_RATE)
    room = dice.randint(0, MOST_ROOM) if overloaded or dice.random() < 0.5 else None
    # A refusal costs the workers nothing and nobody here loses patience, so refusals that come again cannot keep the
    # system down: each of these settings has one state to settle in.
    attempts = dice.choice((1, 1, 1, 2, 3)) if room is not None else 1
    return Scenario(
        load=_load(dice, rho, service_s, workers, length_s),
        service=Service(
            service_time_s=service_s,
            distribution=dice.choice(("exponential", "deterministic", "lognormal")),
            cv=dice.uniform(0.3, 1.5),
            workers=workers,
        ),
        admission=Admission(limit=None if room is None else workers + room),
        retry=Retry(policy="full", attempts=attempts, base_s=dice.uniform(0.1, 0.5)),
        seed=dice.randrange(2**31),
        drain_s=1.0,
    )


def _load(dice: random.Random, rho: float, service_s: float, workers: int, length_s: float) -> Load:
    if dice.random() < 0.8:
        return Load(arrival_rate=rho * workers / service_s, duration_s=length_s)
    fewest = rho * workers * (service_s + LEAST_THINK_S) / service_s
    clients = math.ceil(fewest) + dice.randint(0, 5)
    think_s = clients * service_s / (rho * workers) - service_s
    return Load(kind="closed", clients=clients, think_time_s=think_s, duration_s=length_s)


__all__ = ["offered", "settings", "title"]
