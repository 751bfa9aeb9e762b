"""Section c, the rescue: nine knobs, one of which may be turned, and how long each takes to bring the system back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from IPython.display import display

from demo_workers.records.events import ClientOutcome
from demo_workers.records.run import Run
from lessons.check.claims import Claim, check
from lessons.retries.health import Health, health
from lessons.retries.spike import LIMIT, SERVICE_S, WORKERS
from lessons.retries.two_fates import FULL, RESCUE_S, WELL, WELL_FOR_S, TwoFates, last
from lessons.show import charts
from lessons.show.figures import Picture
from lessons.twin.simulate import Engine

SEEDS = 20
"""Tapes that ``workbook bench collapse`` and the notebook's button play."""

STEP_S = 0.25
BEFORE_S = 0.8
"""So long before the knob was turned a short run is looked at."""

QUICK_S = 10.0
COARSE = 2
"""Work takes so many times as long where plain Python plays."""


class Remedy(NamedTuple):
    """A knob, what it is called, and why it does what it does.

    ``knobs`` are what ``Stack`` calls it, with the values it is turned to.
    """

    name: str
    knobs: Mapping[str, Any]
    why: str


def _remedy(name: str, why: str, **knobs: Any) -> Remedy:
    return Remedy(name, MappingProxyType(knobs), why)


REMEDIES = {
    key: _remedy(name, why, **knobs)
    for key, name, knobs, why in (
        ("lifo", "newest first", {"admission_policy": "lifo"},
         "who comes now is served now; nobody misses the old ones"),
        ("limit", f"limit {LIMIT}", {"limit": LIMIT},
         "nobody gets in until the old queue is worked off"),
        ("breaker", "circuit breaker", {"breaker_failures": 20},
         "nobody calls until the old queue is worked off"),
        ("drop", "drop expired", {"admission_policy": "drop_expired"},
         "who has waited longest comes first, and is late"),
        ("throttle", "adaptive throttle", {"throttle_k": 2.0},
         "holds nearly all back, also when the queue has gone"),
        ("budget", "retry budget", {"budget_ratio": 0.1},
         "ends the storm; the spare fifth has minutes of old work"),
        ("key", "idempotency key", {"idempotency_key": True},
         "a retry adds no job; the old queue is there as before"),
        ("jitter", "jitter", {"retry_policy": "full", "after_timeout": "backoff"},
         "spreads the tries, and takes none away"),
        ("workers", "double workers", {"workers": 2 * WORKERS},
         "four tries each are more than even they can do"),
    )
}  # fmt: skip
"""By their short names; the first is the reference."""

NAMES = sorted(remedy.name for remedy in REMEDIES.values())
"""As they are offered: in an order that says nothing."""

REFERENCE = next(iter(REMEDIES))
RESCUERS = ("lifo", "limit", "breaker")


def recovery_s(run: Run, turned_s: float) -> float:
    """Seconds from when a knob was turned to when people are served in time again; infinity when they never are.

    Args:
        run: of a load that goes on long enough.
        turned_s: when, second of the run.
    """
    ends = run.requests[np.argsort(run.requests["due_s"], kind="stable")]
    due_s = ends["due_s"]
    served = np.concatenate([[0], np.cumsum(ends["client_outcome"] == ClientOutcome.SUCCEEDED)])
    starts = np.arange(turned_s, run.length_s - WELL_FOR_S, STEP_S)
    first, after = np.searchsorted(due_s, starts), np.searchsorted(due_s, starts + WELL_FOR_S)
    well = np.flatnonzero(served[after] - served[first] >= WELL * np.maximum(after - first, 1))
    return float(starts[well[0]] - turned_s) if len(well) else math.inf


def rescue_in_twin(fates: TwoFates, seeds: Sequence[int] = (7,)) -> dict[str, list[float]]:
    """How long each of the nine knobs takes in the twin (seconds), once per tape, all on the same tapes.

    Several tapes are played by compiled code. Of a single one plain Python plays all nine in two seconds: there the
    work of a post takes twice as long and half as many come, which is the same load and half as much to play.

    Args:
        fates: whose servers and costs the twin has.
        seeds: one per tape.
    """
    engine: Engine = "python" if len(seeds) == 1 else "auto"
    service_s = SERVICE_S * (COARSE if len(seeds) == 1 else 1)
    runs = len(REMEDIES) * len(seeds)
    return {
        key: [
            recovery_s(
                fates.simulate(
                    fates.load(seed=seed, service_s=service_s), remedy.knobs, FULL.turned_s, engine=engine, runs=runs
                ),
                FULL.turned_s,
            )
            for seed in seeds
        ]
        for key, remedy in REMEDIES.items()
    }


def show_rescues(found: Mapping[str, Sequence[float]]) -> None:
    """A picture and a table of how long each knob takes, and why.

    Args:
        found: of ``rescue_in_twin``.
    """
    display(picture_of(found))
    print(table_of(found))


def picture_of(found: Mapping[str, Sequence[float]]) -> Picture:
    """How long each knob takes; those that do not help stand at the end of the minute."""
    places = {key: n for n, key in enumerate(found)}
    never = [key for key in found if not math.isfinite(max(found[key]))]
    back = {places[key]: found[key] for key in found if key not in never}
    layers = [
        charts.spread("served again after so long", back, joined=False),
        charts.same_tape(f"not within {RESCUE_S:.0f} s", {places[key]: [RESCUE_S] for key in never}),
    ]
    ticks = {float(places[key]): REMEDIES[key].name.replace(" ", "\n") for key in found}
    quickest = min(found, key=lambda key: float(np.mean(found[key])))
    title = f"{len(back)} of {len(found)} knobs bring it back within the minute; {REMEDIES[quickest].name} soonest"
    return charts.chart(title, [layer for layer in layers if len(layer.x)], x="", y="seconds", ticks=ticks)


def table_of(found: Mapping[str, Sequence[float]]) -> str:
    """A line for each knob: how long it takes, and why."""
    return "\n".join(
        f"{REMEDIES[key].name:<17} {_range(times):>15}: {REMEDIES[key].why}" for key, times in found.items()
    )


def _range(times: Sequence[float]) -> str:
    if not math.isfinite(max(times)):
        return f"not within {RESCUE_S:.0f} s"
    return f"{np.mean(times):.1f} s" + (f" ({min(times):.1f} to {max(times):.1f})" if len(times) > 1 else "")


def check_rescues(found: Mapping[str, Sequence[float]]) -> None:
    """What section c says of the nine knobs in the twin.

    Raises:
        ClaimError: it is not so.
    """
    worst = {key: max(times) for key, times in found.items()}
    best = {key: min(times) for key, times in found.items()}
    slow, others = ("limit", "breaker"), [key for key in REMEDIES if key not in RESCUERS]
    numbers = str(dict(found))
    check(
        Claim("newest first brings the system back in a few seconds", worst["lifo"] < QUICK_S, numbers),
        Claim("a limit and a circuit breaker bring it back within the minute",
              max(worst[key] for key in slow) < RESCUE_S, numbers),
        Claim("but only after the old queue is worked off: they take several times as long",
              min(best[key] for key in slow) > 3 * worst["lifo"], numbers),
        Claim("none of the other six does within the minute, twice the workers included",
              not math.isfinite(min(best[key] for key in others)), numbers),
    )  # fmt: skip


class Rescue(NamedTuple):
    """A live run just before a knob was turned, and in its last moments."""

    before: Health
    after: Health


def rescue_of(run: Run) -> Rescue:
    """Read off a run in which one knob was turned what it did."""
    turned_s = run.steering[0].t
    return Rescue(health(run, turned_s - BEFORE_S, turned_s), last(run))


def check_live_rescue(run: Run) -> None:
    """What section c says of the live rescue.

    Raises:
        ClaimError: it is not so.
    """
    before, after = rescue_of(run)
    numbers, rate = f"before: {before}; after: {after}", run.scenario.load.arrival_rate
    check(
        Claim("hardly anybody was served in time, and one knob was turned",
              len(run.steering) == 1 and before.in_time < 0.5 * after.in_time, numbers),
        Claim("then people were served in time again", after.in_time > 0.5 * rate, numbers),
        Claim("by the same workers, which had been alive and without error all the time",
              (after.alive, after.errors) == (WORKERS, 0) and before.busy > 0.5, numbers),
        Claim("the books of this run balance, and every witness agrees", run.ledger.balanced, run.ledger.table()),
    )  # fmt: skip
