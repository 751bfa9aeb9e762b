"""The same scenario again and again, each time with other dice: means, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_workers.policies.custom import Admit, NextTry
from demo_workers.records.measures import Measures
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from lessons.theory.bounds import whole
from lessons.theory.prediction import KEYS
from lessons.twin.confidence import half_width, mean
from lessons.twin.family import MOST, reseeded, seeds_of
from lessons.twin.progress import Progress, say_compiling
from lessons.twin.simulate import Engine, Overheads, simulate


@dataclass(frozen=True, kw_only=True)
class Replications:
    """What was measured in each replication.

    Attributes:
        scenario: what was played.
        seeds: of each replication; the first is the scenario's own, so that one is the run that ``simulate`` gives.
        measures: of each replication.
        invariants: of the ledger: name, and whether it held in every replication.
    """

    scenario: Scenario
    seeds: Sequence[int]
    measures: Sequence[Measures]
    invariants: dict[str, bool]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.measures)

    @property
    def balanced(self) -> bool:
        """Whether the books balance in every replication."""
        return all(self.invariants.values())

    def values(self, key: str) -> list[float]:
        """One measure, once for each replication to which it applies."""
        found = (getattr(measured, key) for measured in self.measures)
        return [float(value) for value in found if value is not None]

    def mean(self, key: str) -> float | None:
        """Mean of a measure over the replications; None where it applies to none of them."""
        return mean(self.values(key))

    def ci95(self, key: str) -> float | None:
        """Half the width of the mean's interval of 95 % confidence; None of fewer than two replications."""
        return half_width(self.values(key))

    def to_dict(self) -> dict[str, float | None]:
        """The shared keys of the command line's ``--json``, and after them each as ``<key>_ci95``."""
        means = {key: self.mean(key) for key in KEYS}
        return means | {f"{key}_ci95": self.ci95(key) for key in KEYS}


def replicate(
    what: Scenario | Run,
    replications: int = 20,
    *,
    overheads: Overheads | None = None,
    next_try: NextTry | None = None,
    admit: Admit | None = None,
    engine: Engine = "auto",
    progress: Progress | None = None,
    compiling: Progress = say_compiling,
) -> Replications:
    """Play a scenario, or all that was done to a run, with one seed after the other.

    Args:
        what: as for ``simulate``; of a run the knobs turned and the workers that died are the same in each replication.
        replications: how many, at least 1.
        overheads: RQ's cost per job.
        next_try: the reader's own retry policy.
        admit: the reader's own admission policy.
        engine: as for ``simulate``.
        progress: hears how many are done, and of how many.
        compiling: as for ``simulate``.

    Raises:
        ScenarioError: the number of replications is out of bounds.
        PolicyError: as for ``simulate``.
    """
    whole("replications", replications, 1, MOST)
    scenario = what if isinstance(what, Scenario) else what.scenario
    seeds, measures, invariants = seeds_of(scenario.seed, replications), [], dict[str, bool]()
    for done, seed in enumerate(seeds, 1):
        run = simulate(
            reseeded(what, seed),
            overheads=overheads,
            next_try=next_try,
            admit=admit,
            engine=engine,
            runs=replications - done + 1,
            compiling=compiling,
        )
        measures.append(run.measures)
        for name, held in run.ledger.invariants.items():
            invariants[name] = invariants.get(name, True) and held is not False
        if progress is not None:
            progress(done, replications)
    return Replications(scenario=scenario, seeds=seeds, measures=measures, invariants=invariants)
