"""Section a: a crowd hears 503 at once, and comes again: after a fixed delay, with backoff, with jitter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.events import Outcome
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, BackoffPolicy, Load, Retry, Scenario
from lessons.check import sketch
from lessons.check.claims import Claim, check
from lessons.retries.lesson import Lesson
from lessons.show import longer
from lessons.show.figures import Picture
from lessons.show.histograms import Row, histograms

CROWD, CROWD_START_S, CROWD_S = 60, 0.1, 0.08
"""So many people ask within eight hundredths of a second."""

PLACES = 4
DELAY_S = 0.3
"""The fixed delay, and the base of the two others."""

BACK_S = CROWD_START_S + DELAY_S
"""When a fixed delay brings them back: from then on it is counted how loud and how silent it is."""

SHORT_S, FULL_S = 1.3, 6.0
"""Length of the runs: what Run All plays, and what the full form does."""

WINDOW_S = 0.05
"""How loud it is counts the attempts within so long."""
BIN_S = 0.1
"""Width of a bar, in the sketch and in the picture."""

NAMES: Mapping[BackoffPolicy, str] = {
    "fixed": f"always after {DELAY_S:g} s",
    "exponential": "each wait twice the last",
    "full": "the same, with full jitter",
}


def crowd(lesson: Lesson, policy: BackoffPolicy, *, duration_s: float = SHORT_S, seed: int = 7) -> Scenario:
    """All come at once to a gateway with a few places; who is refused tries again until let in.

    Args:
        lesson: whose workers.
        policy: how long they wait.
        duration_s: length of the run, seconds.
        seed: the tape's seed.
    """
    steps = ((0.0, 0.0), (CROWD_START_S, CROWD / CROWD_S), (CROWD_START_S + CROWD_S, 0.0))
    return Scenario(
        load=Load(kind="steps", steps=steps, duration_s=duration_s),
        service=lesson.service,
        admission=Admission(limit=PLACES),
        # what the gateway asks for is the same for all, and would only hide what the clients do by themselves
        retry=Retry(policy=policy, attempts=10, base_s=DELAY_S, cap_s=10.0, honour_retry_after=False),
        seed=seed,
        drain_s=0.1,
    )


async def come_again(lesson: Lesson, *policies: BackoffPolicy, duration_s: float = SHORT_S) -> dict[str, Run]:
    """The same crowd, live, once with each policy.

    Args:
        lesson: where.
        policies: default is the three of ``NAMES``.
        duration_s: length of each run, seconds.
    """
    return {
        policy: await _play(lesson, crowd(lesson, policy, duration_s=duration_s)) for policy in policies or tuple(NAMES)
    }


async def _play(lesson: Lesson, scenario: Scenario) -> Run:
    """A run that may be late: so many at once are late by some hundredths of a second on a busy machine, and what is
    said of them is about tenths. It is said all the same.
    """
    try:
        return await lesson.play(scenario)
    except LoadGeneratorLagging as error:
        live = lesson.stack.live
        if live is None or live.run is None:
            raise
        print(f"Note: {error}")
        return live.run


async def same_crowd(lesson: Lesson) -> dict[str, Run]:
    """The live runs that the notebook kept; if there are none yet, they are played now, some seconds long."""
    if not lesson.kept:
        lesson.keep(await come_again(lesson))
    return lesson.kept


def asked_s(run: Run) -> NDArray[np.float64]:
    """When attempts left, in order (seconds of the run)."""
    sent = run.attempts["sent_s"]
    return np.sort(sent[sent < run.length_s])


def again_s(run: Run, from_s: float = 0.0) -> NDArray[np.float64]:
    """The same of those that were not the first of their request, from second ``from_s`` on."""
    sent = run.attempts["sent_s"][run.attempts["attempt"] > 1]
    return np.sort(sent[(sent >= from_s) & (sent < run.length_s)])


def loudest(moments_s: NDArray[np.float64]) -> int:
    """The most attempts that came within ``WINDOW_S``."""
    if not len(moments_s):
        return 0
    return int(np.max(np.searchsorted(moments_s, moments_s + WINDOW_S, side="right") - np.arange(len(moments_s))))


def silent(run: Run) -> float:
    """In what share of the time from ``BACK_S`` on nobody had asked for ``WINDOW_S``."""
    moments = np.array([BACK_S, *again_s(run, BACK_S), run.length_s])
    return float(np.sum(np.maximum(np.diff(moments) - WINDOW_S, 0.0)) / (run.length_s - BACK_S))


def per_bar(run: Run) -> NDArray[np.int64]:
    """Attempts in each tenth of a second."""
    edges = np.arange(round(run.length_s / BIN_S) + 1) * BIN_S
    return np.histogram(asked_s(run), edges)[0]


def picture(runs: Mapping[str, Run], drawn: Sequence[float] | None = None) -> Picture:
    """How many ask in each tenth of a second, one row per policy.

    Args:
        runs: by the policy.
        drawn: heights of the reader's sketch of the first row, or None.
    """
    rows = [Row(NAMES.get(policy, policy), per_bar(run)) for policy, run in runs.items()]  # type: ignore[call-overload]
    title = f"Attempts per tenth of a second: the same crowd, {len(rows)} ways to come again"
    return histograms(title, rows, bin_s=BIN_S, drawn=drawn)


def show_waves(runs: Mapping[str, Run], drawn: Sequence[float] | None = None) -> None:
    """The picture, and a line per policy.

    Args:
        runs: by the policy.
        drawn: heights of the reader's sketch of the first row, or None.
    """
    display(picture(runs, drawn))
    for policy, run in runs.items():
        print(
            f"{policy:12s} {len(asked_s(run)):4d} attempts; at most {loudest(again_s(run, BACK_S)):3d} retries within "
            f"{1000 * WINDOW_S:.0f} ms; nobody asks for {silent(run):4.0%} of the time"
        )


def offer_longer(lesson: Lesson) -> None:
    """A button that plays six seconds with each policy."""

    async def play() -> Picture:
        return picture(await come_again(lesson, duration_s=FULL_S))

    longer.offer("Play six seconds of each, live", play)


def waves(run: Run) -> str:
    """A run's bars as one line of text."""
    return sketch.line(per_bar(run).tolist())


def check_waves(runs: Mapping[str, Run]) -> None:
    """What section a says.

    Raises:
        ClaimError: it is not so.
    """
    fixed, exponential, full = (runs[policy] for policy in NAMES)
    first = fixed.attempts[fixed.attempts["attempt"] == 1]
    refused = float(np.mean(first["outcome"] == Outcome.SHED))
    loud = {policy: loudest(again_s(run, BACK_S)) for policy, run in runs.items()}
    quiet = {policy: silent(run) for policy, run in runs.items()}
    tried = {policy: len(asked_s(run)) for policy, run in runs.items()}
    numbers = f"refused {refused:.2f}, loudest {loud}, silent {quiet}, attempts {tried}"
    check(
        Claim("most of the crowd hears 503", refused > 0.6, numbers),
        Claim("with a fixed delay they come back nearly as close together as they came",
              loud["fixed"] > 0.5 * loudest(asked_s(fixed)), numbers),
        Claim("and between their spikes nobody asks", quiet["fixed"] > 0.2, numbers),
        Claim("doubling the wait makes the spikes fewer and not lower",
              loud["exponential"] > 0.45 * loud["fixed"] and tried["exponential"] < tried["fixed"], numbers),
        Claim("jitter flattens them", loud["full"] < 0.8 * loud["fixed"], numbers),
        Claim("and fills the silence", quiet["full"] < 0.7 * quiet["fixed"], numbers),
        Claim("the books of all runs balance, and every witness agrees",
              all(run.ledger.balanced for run in runs.values()),
              "\n".join(run.ledger.table() for run in (fixed, exponential, full))),
    )  # fmt: skip
