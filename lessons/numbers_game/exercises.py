"""The exercises: how many workers for a promise, graded in the twin; and an outage to compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from demo_workers.scenario import Load, Scenario, Service
from lessons.check import grading
from lessons.theory import drain, staffing
from lessons.theory.bounds import whole
from lessons.twin.simulate import simulate

WorkersNeeded = Callable[[float, float, float], int]
"""(arrival_rate per second, service_time_s, promise: at most this share has to wait) → workers."""

CLASS_SEED = 2026
SETTINGS = 4
LOADS, TIMES_S, PROMISES = (2.0, 30.0), (0.02, 2.0), (0.05, 0.1, 0.2)
"""Between which bounds the work that comes (a = λS) and one job's work (seconds) are drawn, and out of which the
promise."""
MOST_WORKERS = 64
JOBS = 2000

OUTAGE_MINUTES, BUSY = 12.0, 0.75
"""Of the exercise with a number."""


class Setting(NamedTuple):
    """What is asked for: a load, and the share that may have to wait."""

    arrival_rate: float
    service_time_s: float
    promise: float
    seed: int

    def scenario(self, workers: int) -> Scenario:
        """The setting with so many workers."""
        load = Load(arrival_rate=self.arrival_rate, duration_s=JOBS / self.arrival_rate)
        service = Service(service_time_s=self.service_time_s, workers=workers)
        return Scenario(load=load, service=service, seed=self.seed)


class Tried(NamedTuple):
    """A function's answer to one setting.

    Attributes:
        setting: what was asked.
        workers: what it said.
        waited: the share that had to wait in the twin.
        points: 0 where the promise was broken, else the workers that it takes over those that it took.
    """

    setting: Setting
    workers: int
    waited: float
    points: float


class Staffed(NamedTuple):
    """Three functions on the same settings and tapes."""

    naive: Sequence[Tried]
    yours: Sequence[Tried]
    reference: Sequence[Tried]


def just_enough(arrival_rate: float, service_time_s: float, promise: float) -> int:
    """No reserve: the fewest workers that can do the work."""
    return math.floor(arrival_rate * service_time_s) + 1


def reference(arrival_rate: float, service_time_s: float, promise: float) -> int:
    """The fewest that keep the promise, by Erlang's formula."""
    return staffing.workers_for(arrival_rate * service_time_s, promise)


def settings(class_seed: int) -> list[Setting]:
    """The settings of a class: the same for everybody in it, and new with each number."""
    found = []
    for seed in grading.seeds(class_seed, SETTINGS):
        dice = Random(seed)
        load, time_s = dice.uniform(*LOADS), round(dice.uniform(*TIMES_S), 2)
        found.append(Setting(round(load / time_s, 1), time_s, dice.choice(PROMISES), seed))
    return found


def compare_staffing(workers_needed: WorkersNeeded, *, class_seed: int = CLASS_SEED) -> Staffed:
    """Try the reader's function in the twin beside no reserve and beside the reference.

    A promise counts as kept where no more have to wait than it says, or than with the reference on the same tape: luck
    must not decide.

    Args:
        workers_needed: the reader's.
        class_seed: the class's number; another one draws other settings.

    Raises:
        ScenarioError: it returned something else than a number of workers from 1 to 64.
    """
    asked = settings(class_seed)
    best = [_try(setting, reference, 0.0) for setting in asked]

    def tried(function: WorkersNeeded) -> list[Tried]:
        return [_try(setting, function, one.waited) for setting, one in zip(asked, best, strict=True)]

    return Staffed(tried(just_enough), tried(workers_needed), [one._replace(points=1.0) for one in best])


def _try(setting: Setting, function: WorkersNeeded, allowed: float) -> Tried:
    needed = reference(*setting[:3])
    answer = function(*setting[:3])
    workers = whole(f"{getattr(function, '__name__', 'your function')}(…)", answer, 1, MOST_WORKERS)
    waited = simulate(setting.scenario(workers), engine="python").measures.p_wait or 0.0
    kept = waited <= max(setting.promise, allowed)
    return Tried(setting, workers, waited, min(1.0, needed / workers) if kept else 0.0)


def show_staffing(staffed: Staffed) -> None:
    """Print the report, and the first setting where it failed."""
    shares = [sum(one.points for one in ones) / len(ones) for ones in staffed]
    print(grading.comparison(*shares))
    broken = next((one for one in staffed.yours if one.points == 0), None)
    if broken is None:
        print("It kept every promise.")
    else:
        rate, time_s, promise, _ = broken.setting
        asked = f"{rate:g} per second of {time_s:g} s each, at most {promise:.0%} to wait"
        print(f"It failed at {asked}: with {broken.workers} workers {broken.waited:.0%} had to.")


def say_minutes(minutes: float) -> None:
    """Print whether the number of the second exercise is right.

    Args:
        minutes: from the repair until it is normal again.
    """
    right = drain.recovery_s(60 * OUTAGE_MINUTES, BUSY) / 60
    print("That is it." if abs(minutes - right) < 0.5 else f"{minutes:g} minutes is not it: see the hints.")
