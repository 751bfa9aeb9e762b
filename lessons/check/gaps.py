"""Theory, twins and a live run side by side: how far apart they are, and whether that is chance or bias.

Three things keep a live run away from the formula, and each has its own measure here.

* **The machine.** The twin on the live run's own tape meets the same requests, so luck is no excuse: live - twin is
  what the twin does not know of the machine. Twins on that tape that draw RQ's costs anew say how much is chance.
* **Luck.** Twins on the tapes of other seeds say how far another draw of arrivals and work would have taken the run.
* **The formula.** Its distance from the mean of all tapes is what it leaves out: that a run begins empty, for example.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any, Literal

from demo_workers.errors import LabError
from demo_workers.records.run import Run
from lessons.theory.prediction import KEYS, Prediction
from lessons.twin.confidence import student_t

Verdict = Literal["agrees", "bias", "unknown"]

CLOSE = 0.05
"""What differs by a twentieth is said to agree: what RQ costs was measured at another moment, and no better."""
FEWEST = 3
"""Of fewer replications nobody can say how they spread."""
HEADLINES = ("in_system", "sojourn_s", "sojourn_p95_s", "throughput", "shed_rate", "utilization")
"""The keys that are shown first."""
WORDS = {
    "utilization": "busy share of the workers",
    "offered_utilization": "offered load",
    "p_wait": "share that waits",
    "p_block": "share refused",
    "backlog": "waiting jobs",
    "in_system": "jobs in the system",
    "in_service": "running jobs",
    "wait_s": "mean wait, s",
    "sojourn_s": "mean time inside, s",
    "sojourn_p50_s": "time inside for half, s",
    "sojourn_p95_s": "time inside for 95 %, s",
    "sojourn_p99_s": "time inside for 99 %, s",
    "throughput": "jobs done per second",
    "goodput": "answers in time per second",
    "shed_rate": "refusals per second",
    "retry_amplification": "tries for each request",
}
"""The shared keys in plain words."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One key over replications of the twin.

    Attributes:
        mean: their mean.
        mean_ci95: half-width of that mean's 95 % confidence interval: how well the mean is known.
        one_more: half-width of the 95 % prediction interval: so far from the mean falls one more run, in 19 of 20
            cases. A single run is measured by this, and not by ``mean_ci95``.
        replications: how many.
    """

    mean: float
    mean_ci95: float
    one_more: float
    replications: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Of at least three values; None of fewer.

        Source: Student's t for a mean, and for one further value of a normal sample (G. J. Hahn and W. Q. Meeker,
        "Statistical Intervals", 1991, chapter 4).
        """
        n = len(values)
        if n < FEWEST:
            return None
        reach = student_t(n - 1) * stdev(values)
        return cls(
            mean=fmean(values),
            mean_ci95=reach / math.sqrt(n),
            one_more=reach * math.sqrt(1 + 1 / n),
            replications=n,
        )


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One key three times. None: not given, or the key does not apply.

    Attributes:
        key: one of the keys that ``run``, ``simulate`` and ``predict`` share.
        theory: in the long run.
        twin: the mean of the twins on the live run's own tape; where there are none, of all tapes.
        live: measured.
        machine: the twins on the live run's own tape.
        luck: one twin on each tape.
        same_tape: whether ``twin`` met the same requests as ``live``.
    """

    key: str
    theory: float | None = None
    twin: float | None = None
    live: float | None = None
    machine: Spread | None = None
    luck: Spread | None = None
    same_tape: bool = False

    @property
    def live_to_twin(self) -> float | None:
        """(live - twin) / twin, in percent; None also where the twin has nothing."""
        return _percent(self.live, self.twin)

    @property
    def base(self) -> float | None:
        """What the others are measured by: the twin, or theory where there is none."""
        return self.theory if self.twin is None else self.twin

    @property
    def twin_to_theory(self) -> float | None:
        """(twin - theory) / theory, in percent, with the twin's mean over all tapes where that is known."""
        return _percent(self.mean, self.theory)

    @property
    def theory_to_mean(self) -> float | None:
        """(theory - twin's mean) / twin's mean, in percent: how far off the formula is."""
        return _percent(self.theory, self.mean)

    @property
    def mean(self) -> float | None:
        """The twin's mean over all tapes, or the only twin there is."""
        return self.twin if self.luck is None else self.luck.mean

    @property
    def live_verdict(self) -> Verdict:
        """Whether chance can explain live - twin.

        On the same tape only the machine's chance is left. Where nobody drew that anew, a gap beyond what another seed
        would have done is bias all the same, and of a smaller one nothing is known.
        """
        noise = self.machine if self.same_tape else self.luck
        if noise is None and self.luck is not None and _beyond(self.live, self.twin, self.luck.one_more):
            return "bias"
        return _verdict(self.live, self.twin, None if noise is None else noise.one_more)

    @property
    def theory_verdict(self) -> Verdict:
        """Whether the formula lies within what is known of the twin's mean."""
        return _verdict(self.theory, self.mean, None if self.luck is None else self.luck.mean_ci95)

    def __str__(self) -> str:
        """The verdict in words: on the live run, or on the formula where nothing ran live."""
        if self.live is not None and self.twin is not None:
            return _words(self.live_verdict, f"live is {_how(self.live, self.twin)} the twin")
        if self.theory is not None and self.mean is not None:
            return _words(self.theory_verdict, f"theory is {_how(self.theory, self.mean)} the twin's mean")
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Gaps and spreads in percent, and the verdicts, as ``workbook compare --json`` has them."""
        return {
            "live_to_twin_percent": self.live_to_twin,
            "twin_to_theory_percent": self.twin_to_theory,
            "machine_spread_percent": self.percent(self.machine),
            "luck_spread_percent": self.percent(self.luck),
            "live": self.live_verdict,
            "theory": self.theory_verdict,
        }

    def above(self, value: float | None) -> float | None:
        """How far a value is above ``base``, in percent; None also where that is zero."""
        return _percent(value, self.base)

    def percent(self, spread: Spread | None) -> float | None:
        """How far one more run falls from the mean, in percent of ``twin``."""
        return None if spread is None or not self.twin else 100 * spread.one_more / abs(self.twin)


@dataclass(frozen=True, kw_only=True)
class Gaps(Mapping[str, Gap]):
    """Every shared key of a theory, some twins and a live run; made by ``gaps``.

    Attributes:
        theory: the prediction, or why there is none; None where nobody asked.
        live: the live run, or a replay of one.
        own: twins on the live run's tape.
        tapes: one twin for each tape, the first of ``own`` among them.
    """

    theory: Prediction | LabError | None
    live: Run | None
    own: Sequence[Run]
    tapes: Sequence[Run]

    def __getitem__(self, key: str) -> Gap:
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def prediction(self) -> Prediction | None:
        """The theory, where it applies."""
        return self.theory if isinstance(self.theory, Prediction) else None

    @property
    def reason(self) -> str:
        """Why no theory applies, or ""."""
        return str(self.theory) if isinstance(self.theory, LabError) else ""

    @property
    def too_short(self) -> bool:
        """Whether the runs end before they can show the long run that the theory speaks of."""
        shown = self.live or self.twin
        return self.prediction is not None and shown is not None and shown.length_s < self.prediction.settling_s

    @property
    def twin(self) -> Run | None:
        """The twin to be shown: the one on the live run's tape, or the first."""
        return next(iter((*self.own, *self.tapes)), None)

    @property
    def headlines(self) -> list[Gap]:
        """The keys that matter most, those that apply."""
        found = [self[key] for key in HEADLINES]
        return [gap for gap in found if any((gap.theory, gap.twin, gap.live))] or found

    @property
    def biased(self) -> list[Gap]:
        """Headlines in which chance does not explain the live run, the worst first."""
        found = [gap for gap in self.headlines if gap.live_verdict == "bias"]
        return sorted(found, key=lambda gap: -abs(gap.live_to_twin or math.inf))

    @property
    def finding(self) -> str:
        """What all of it comes to, in a line; "" where there is nothing to compare."""
        said = "; ".join(part for part in (self._of_live(), self._of_theory()) if part)
        return said[:1].upper() + said[1:]

    def to_dict(self) -> dict[str, Any]:
        """Key → numbers, as ``workbook compare --json`` has them."""
        return {key: gap.to_dict() for key, gap in self.items()}

    @cached_property
    def _all(self) -> dict[str, Gap]:
        return {key: self._gap(key) for key in KEYS}

    def _gap(self, key: str) -> Gap:
        own, tapes = _values(self.own, key), _values(self.tapes, key)
        return Gap(
            key=key,
            theory=None if self.prediction is None else getattr(self.prediction, key),
            twin=fmean(own or tapes) if own or tapes else None,
            live=None if self.live is None else getattr(self.live.measures, key),
            machine=Spread.of(own),
            luck=Spread.of(tapes),
            same_tape=bool(own),
        )

    def _of_live(self) -> str:
        if self.live is None:
            return ""
        if self.twin is None:
            far = [abs(apart) for gap in self.headlines if (apart := _percent(gap.live, gap.theory)) is not None]
            return f"live is up to {max(far):.0f} % from the long run" if far else ""
        if self.biased:
            worst = self.biased[0]
            return f"bias: live is {_how(worst.live, worst.twin)} its twin in {WORDS[worst.key].removesuffix(', s')}"
        unknown = [abs(gap.live_to_twin or 0.0) for gap in self.headlines if gap.live_verdict == "unknown"]
        return f"live is up to {max(unknown):.0f} % from its twin" if unknown else "live agrees with its twin"

    def _of_theory(self) -> str:
        if isinstance(self.theory, LabError):
            return "no formula fits"
        wrong = [abs(gap.theory_to_mean or 0.0) for gap in self.headlines if gap.theory_verdict == "bias"]
        if wrong and self.too_short:
            return f"the long run is up to {max(wrong):.0f} % away"
        if wrong:
            return f"the formula is up to {max(wrong):.0f} % off"
        return "the formula holds" if any(gap.theory_verdict == "agrees" for gap in self.headlines) else ""


def gaps(theory: Prediction | LabError | None, *runs: Run) -> Gaps:
    """Lay a prediction, twins and a live run side by side.

    Args:
        theory: what ``predict`` said, or the error with which it said that it cannot; None leaves it out.
        runs: at most one live run (or a replay of one) and any number of twins. Twins with the live run's seed are on
            its own tape, as ``simulate(live)`` makes them; several of those, with costs drawn anew, give the machine's
            spread, and twins of other seeds give that of luck: ``redrawn_twins`` and ``twins_of`` make them.

    Raises:
        LabError: more than one live run, or nothing at all.
    """
    live = [run for run in runs if run.source != "twin"]
    twins = [run for run in runs if run.source == "twin"]
    if len(live) > 1 or not (runs or theory):
        raise LabError(
            f"runs = {len(live)} live ones and {len(twins)} twins: must be at most one live run, and something to "
            "compare. Compare each live run with its own twins."
        )
    own = [run for run in twins if live and run.scenario.seed == live[0].scenario.seed]
    tapes = {run.scenario.seed: run for run in reversed(twins)}
    return Gaps(theory=theory, live=live[0] if live else None, own=own, tapes=list(tapes.values())[::-1])


def _values(runs: Sequence[Run], key: str) -> list[float]:
    found = (getattr(run.measures, key) for run in runs)
    return [float(value) for value in found if value is not None]


def _percent(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else 100 * (value - base) / abs(base)


def _beyond(value: float | None, base: float | None, noise: float) -> bool:
    if value is None or base is None:
        return False
    return abs(value - base) > max(noise, CLOSE * abs(base))


def _verdict(value: float | None, base: float | None, noise: float | None) -> Verdict:
    if value is None or base is None:
        return "unknown"
    if not _beyond(value, base, noise or 0.0):
        return "agrees"
    return "unknown" if noise is None else "bias"


def _words(verdict: Verdict, how: str) -> str:
    return {"agrees": "within chance", "bias": f"bias: {how}", "unknown": how}[verdict]


def _how(value: float | None, base: float | None) -> str:
    assert value is not None
    assert base is not None
    percent = _percent(value, base)
    apart = f"{abs(value - base):.3g}" if percent is None else f"{abs(percent):.0f} %"
    return f"{apart} {'above' if value > base else 'below'}"
