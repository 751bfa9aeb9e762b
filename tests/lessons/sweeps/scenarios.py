"""Scenarios for sweeps, and looking at what Redis holds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from demo_workers.queueing.connection import connect_async
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from lessons.twin import Overheads

OVERHEADS = Overheads(
    before_s=0.003,
    after_s=0.002,
    slot_s=0.001,
    costs=[(random.uniform(0, 0.004), random.uniform(0, 0.001), random.uniform(0, 0.003)) for _ in range(50)],
    pickups_s=[random.uniform(0, 0.002) for _ in range(20)],
    seed=random.randrange(1000),
)
"""As a calibration gives them: a sample that jobs draw from."""


def some(n: int, *, duration_s: float = 4.0) -> list[Scenario]:
    """So many different small scenarios; others in every test run."""
    dice = random.Random()
    return [
        Scenario(
            load=Load(arrival_rate=dice.uniform(10, 90), duration_s=duration_s),
            service=Service(
                distribution=dice.choice(["exponential", "deterministic", "lognormal"]), workers=dice.randint(1, 4)
            ),
            admission=Admission(limit=dice.choice([None, 5, 20])),
            retry=Retry(policy="full", attempts=dice.choice([1, 3]), timeout_s=dice.choice([None, 0.5])),
            seed=dice.randrange(10**6),
        )
        for _ in range(n)
    ]


def long(seed: int = 7) -> Scenario:
    """One that plain Python plays for seconds."""
    return Scenario(load=Load(arrival_rate=300, duration_s=100), service=Service(workers=20), seed=seed)


def broken() -> Scenario:
    """One that cannot be played: its policy is in nobody's cell."""
    return Scenario(retry=Retry(policy="custom", attempts=3))


HOUSEKEEPING = ("rq:clean_", ":first_seen:")
"""In keys that RQ's maintenance makes and that expire by themselves."""


async def keys(address: Mapping[str, str]) -> set[str]:
    """All keys on a server, without those of RQ's own housekeeping."""
    connection: Any = connect_async(address)
    try:
        found = {key.decode() for key in await connection.keys("*")}
        return {key for key in found if not any(part in key for part in HOUSEKEEPING)}
    finally:
        await connection.aclose()
