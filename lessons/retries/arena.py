"""Further: every policy on one tape. What jitter buys, and what it does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from IPython.display import display

from demo_workers.records.events import ClientOutcome
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, BackoffPolicy, Load, Retry, Scenario
from lessons.check.claims import Claim, check
from lessons.retries.lesson import Lesson
from lessons.retries.waves import FULL_S, again_s, asked_s, come_again, crowd, loudest, picture
from lessons.show import charts, longer
from lessons.show.figures import Picture
from lessons.twin.simulate import Overheads, simulate

JITTERED: tuple[BackoffPolicy, ...] = ("full", "equal", "decorrelated")
POLICIES: tuple[BackoffPolicy, ...] = ("none", "immediate", "fixed", "exponential", *JITTERED)
LONG_S = 8.0
"""In the twin: so long that whoever waits without pause is served."""

OVERLOAD, OVERLOAD_S, PATIENCE_S = 1.8, 7.0, 1.0
FULL_BY_S = 3.0
"""By then the overload is felt; who came before does not count."""
ATTEMPTS = (1, 2, 4)
OVERLOADED: tuple[BackoffPolicy, ...] = ("fixed", "full")

Shares = Mapping[str, Mapping[int, Sequence[float]]]
"""Policy → number of attempts → share of the people who were served, one per tape."""

LOOKS: Mapping[str, Mapping[str, Any]] = {"full": {"ls": "--", "marker": "s"}}
"""What differs from how the twin is drawn elsewhere, so that two policies can be told apart."""


class Score(NamedTuple):
    """What a policy made of the crowd.

    Attributes:
        people: how many came.
        calls: attempts of all.
        loudest: the most retries within a twentieth of a second.
        served: people who had their answer.
        last_s: when the last of them had it (seconds).
    """

    people: int
    calls: int
    loudest: int
    served: int
    last_s: float


def score(run: Run) -> Score:
    """Read it off a run of the crowd."""
    done = run.executions["finished_s"]
    last = float(np.nanmax(done)) if np.isfinite(done).any() else float("nan")
    return Score(len(run.requests), len(asked_s(run)), loudest(again_s(run)), requests_in_time(run), last)


def arena(lesson: Lesson) -> dict[str, Score]:
    """All seven in the twin, on the tape of section a, until everybody is served or has given up."""
    return {policy: score(lesson.simulate(crowd(lesson, policy, duration_s=LONG_S))) for policy in POLICIES}


def offer_live(lesson: Lesson) -> None:
    """A button that plays all seven live, six seconds each: most of a minute."""

    async def play() -> Picture:
        return picture(await come_again(lesson, *POLICIES, duration_s=FULL_S))

    longer.offer("Play all seven live, six seconds each", play)


def twins(lesson: Lesson, live: Mapping[str, Run]) -> dict[str, Run]:
    """Each live run's twin, on its own tape and of its own length."""
    cost = Overheads.measured(lesson.cost)
    return {policy: simulate(run, overheads=cost, engine="python") for policy, run in live.items()}


def show_arena(scores: Mapping[str, Score], live: Mapping[str, Run], twins: Mapping[str, Run]) -> None:
    """Print the table: the twin's long runs, and what ran live beside its twin."""
    print(f"{'twin, to the end':18s} {'calls':>6s} {'loudest':>8s} {'served':>10s} {'the last after':>15s}")
    for policy, one in scores.items():
        served = f"{one.served} of {one.people}"
        print(f"{policy:18s} {one.calls:6d} {one.loudest:8d} {served:>10s} {one.last_s:13.1f} s")
    print(f"\n{'live | its twin':18s} {'calls':>13s} {'loudest':>13s}")
    for policy, run in live.items():
        a, b = score(run), score(twins[policy])
        print(f"{policy:18s} {f'{a.calls} | {b.calls}':>13s} {f'{a.loudest} | {b.loudest}':>13s}")


def check_arena(lesson: Lesson, scores: Mapping[str, Score]) -> None:
    """What is said of the arena in the twin.

    Raises:
        ClaimError: it is not so.
    """
    none, immediate, fixed, exponential = (scores[policy] for policy in POLICIES[:4])
    jittered, numbers = [scores[policy] for policy in JITTERED], str(dict(scores))
    rates = [one.served / one.last_s for one in scores.values() if one.served > 0.5 * one.people]
    check(
        Claim("trying again at once makes the most calls, and serves no more people than giving up",
              immediate.calls == max(one.calls for one in scores.values())
              and immediate.served <= none.served + 0.1 * none.people, numbers),
        Claim("jitter makes fewer calls than a fixed delay, and lower peaks",
              all(one.calls < fixed.calls and one.loudest < 0.8 * fixed.loudest for one in jittered), numbers),
        Claim("and serves nearly all", all(one.served > 0.9 * one.people for one in jittered), numbers),
        Claim("exponential without jitter leaves the workers idle between its spikes: of all who wait it serves fewest",
              exponential.served < min(one.served for one in (fixed, *jittered)), numbers),
        Claim("nobody gets more out of the workers than they can do", max(rates) < 1.3 * lesson.capacity, numbers),
    )  # fmt: skip


def check_live_arena(live: Mapping[str, Run], twins: Mapping[str, Run]) -> None:
    """What is said of live runs and their twins.

    Raises:
        ClaimError: it is not so.
    """
    real, simulated = ({policy: score(run) for policy, run in runs.items()} for runs in (live, twins))
    numbers = f"live {real}; twins {simulated}"
    check(
        Claim("live and twin make about as many calls, policy by policy",
              all(0.7 < real[policy].calls / simulated[policy].calls < 1.4 for policy in real), numbers),
        Claim("and both find the flattest in the one with jitter",
              all(min(found, key=lambda policy: found[policy].loudest) == "full" for found in (real, simulated)),
              numbers),
    )  # fmt: skip


def overloaded(lesson: Lesson, policy: BackoffPolicy, attempts: int, *, seed: int = 7) -> Scenario:
    """Nearly twice what the workers can do, for seven seconds, from people who wait one second per attempt.

    Workers skip whoever has gone, so that no work is done for ghosts: the mildest case.
    """
    return Scenario(
        load=Load(arrival_rate=OVERLOAD * lesson.capacity, duration_s=OVERLOAD_S),
        service=lesson.service,
        admission=Admission(limit=None, policy="drop_expired"),
        retry=Retry(policy=policy, attempts=attempts, base_s=0.2, cap_s=2.0, timeout_s=PATIENCE_S),
        seed=seed,
    )


def more_attempts(lesson: Lesson, *, seeds: Sequence[int] = range(7, 10)) -> Shares:
    """Share of people served in time, in the twin, per policy, number of attempts, and tape."""

    def served(policy: BackoffPolicy, attempts: int) -> list[float]:
        return [_share(lesson.simulate(overloaded(lesson, policy, attempts, seed=seed))) for seed in seeds]

    once = served("none", 1)  # the same for all
    return {policy: {1: once} | {n: served(policy, n) for n in ATTEMPTS[1:]} for policy in OVERLOADED}


def _share(run: Run) -> float:
    people = run.requests
    in_time = people["client_outcome"] == ClientOutcome.SUCCEEDED
    return float(np.mean(in_time[people["due_s"] >= FULL_BY_S]))


def show_attempts(shares: Shares) -> None:
    """One line per policy, over the number of attempts: the mean of the tapes, and their range."""
    layers = []
    for policy, found in shares.items():
        percent = {n: [100 * share for share in ones] for n, ones in found.items()}
        layer = charts.spread(f"twin, {policy}", percent)
        layers.append(dataclasses.replace(layer, look={**layer.look, **LOOKS.get(policy, {})}))
    title = "Sustained overload: who may try again is served less often"
    ticks = {float(n): str(n) for n in ATTEMPTS}
    display(charts.chart(title, layers, x="attempts per person, at most", y="% served in time", ticks=ticks))


def check_attempts(shares: Shares) -> None:
    """What is said of sustained overload.

    Raises:
        ClaimError: it is not so.
    """
    mean = {policy: {n: float(np.mean(ones)) for n, ones in found.items()} for policy, found in shares.items()}
    once, often = (np.array([found[n] for found in mean.values()]) for n in (ATTEMPTS[0], ATTEMPTS[-1]))
    check(
        Claim("who may try again is served less often than who may not, whatever the policy",
              all(found[1] > 1.1 * max(found[n] for n in ATTEMPTS[1:]) for found in mean.values()), str(mean)),
        Claim("the choice of policy matters less than the number of attempts",
              float(np.ptp(often)) < float(np.mean(once - often)), str(mean)),
    )  # fmt: skip
