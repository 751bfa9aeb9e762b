"""All the twins of one run: on its own tape, and on the tapes of other seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from demo_workers.policies.custom import Door, Failure
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from lessons.theory.bounds import whole
from lessons.twin.simulate import Overheads, simulate

MOST = 10_000


def twins_of(
    what: Scenario | Run,
    *,
    seeds: int = 20,
    overheads: Overheads | None = None,
    next_try: Callable[[Failure], float | None] | None = None,
    admit: Callable[[Door], bool] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Run]:
    """What ``gaps`` and ``overlay`` lay beside a live run: the twin on its tape first, then those on other tapes.

    Args:
        what: as for ``simulate``; of a run the knobs turned and the workers that died are the same on every tape.
        seeds: how many tapes, the run's own included; at least 1.
        overheads: RQ's cost per job, as calibrated.
        next_try: the reader's own retry policy.
        admit: the reader's own admission policy.
        progress: hears how many are played, and of how many.

    Raises:
        ScenarioError: the number of seeds is out of bounds.
    """
    whole("seeds", seeds, 1, MOST)
    own = what.seed if isinstance(what, Scenario) else what.scenario.seed
    members = [(reseeded(what, seed), overheads) for seed in seeds_of(own, seeds)]
    return _played(members, next_try, admit, progress)


def redrawn_twins(
    what: Scenario | Run,
    overheads: Overheads,
    *,
    times: int = 16,
    next_try: Callable[[Failure], float | None] | None = None,
    admit: Callable[[Door], bool] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Run]:
    """Twins on the run's own tape that draw what RQ costs anew: how far they lie apart is how much of a gap is chance.

    Args:
        what: as for ``simulate``.
        overheads: with the sample that was measured; without one all twins are the same.
        times: how many; at least 1. With sixteen a standard deviation is known to a fifth of itself.
        next_try: the reader's own retry policy.
        admit: the reader's own admission policy.
        progress: hears how many are played, and of how many.

    Raises:
        ScenarioError: the number of times is out of bounds.
    """
    whole("times", times, 1, MOST)
    return _played([(what, overheads.redrawn(seed)) for seed in range(times)], next_try, admit, progress)


def seeds_of(seed: int, count: int) -> list[int]:
    """So many seeds that follow from one: itself, then others that no other seed has.

    They are drawn, not counted up: else the families of seeds 7 and 8 would mostly be the same.
    """
    others = np.random.SeedSequence(seed).generate_state(count - 1, np.uint64)
    return [seed, *(int(drawn) >> 11 for drawn in others)]


def reseeded(what: Scenario | Run, seed: int) -> Scenario | Run:
    """The same with other dice."""
    if isinstance(what, Scenario):
        return replace(what, seed=seed)
    return replace(what, scenario=replace(what.scenario, seed=seed))


def _played(
    members: Sequence[tuple[Scenario | Run, Overheads | None]],
    next_try: Callable[[Failure], float | None] | None,
    admit: Callable[[Door], bool] | None,
    progress: Callable[[int, int], object] | None,
) -> list[Run]:
    """One run after the other, each with its own costs; all of them decide together whether compiling pays."""
    found = []
    for what, overheads in members:
        found.append(simulate(what, overheads=overheads, next_try=next_try, admit=admit, runs=len(members)))
        if progress is not None:
            progress(len(found), len(members))
    return found
