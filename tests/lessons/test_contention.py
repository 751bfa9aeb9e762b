"""The contention experiment: exact where no dice are thrown, as published where they are."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean, stdev

import pytest

from demo_workers.errors import ScenarioError
from lessons.contention import WAITS, Contention, Findings, contend, play

IN_STEP = Contention(hop_deviation_ticks=0.0)
DRAWN = ("full", "equal", "decorrelated")

PUBLISHED = {"none": 2420, "exponential": 1853, "decorrelated": 1001, "equal": 812, "full": 797}
"""Calls of 100 clients, from a port of the original simulator with dice of its own."""


@pytest.fixture(scope="module")
def hundred() -> dict[str, Findings]:
    """A hundred clients under every policy."""
    return {policy: contend(Contention(policy=policy), 12) for policy in WAITS}  # type: ignore[arg-type]  # its keys


def test_the_policies_keep_their_order(hundred: dict[str, Findings]) -> None:
    """No backoff calls most, exponential backoff saves some, and jitter most; full and equal are close."""
    calls = {policy: found.calls for policy, found in hundred.items()}
    assert calls["none"] > calls["exponential"] > calls["decorrelated"] > max(calls["equal"], calls["full"])
    assert calls["equal"] == pytest.approx(calls["full"], rel=0.1)


def test_no_backoff_finishes_first_and_backoff_in_step_last(hundred: dict[str, Findings]) -> None:
    """Jitter saves calls and not time; exponential backoff without jitter is the worst of both."""
    times = {policy: found.finish_time for policy, found in hundred.items()}
    assert min(times, key=lambda policy: times[policy]) == "none"
    assert times["exponential"] > 5 * max(times[policy] for policy in DRAWN)


@pytest.mark.parametrize("policy", PUBLISHED)
def test_calls_are_as_published(policy: str, hundred: dict[str, Findings]) -> None:
    """Within four standard errors and one percent for those of the published mean."""
    calls = [float(one.calls) for one in hundred[policy].played]
    spread = 4 * stdev(calls) / math.sqrt(len(calls))
    assert fmean(calls) == pytest.approx(PUBLISHED[policy], abs=spread + 0.01 * PUBLISHED[policy])


@pytest.mark.parametrize("policy", WAITS)
@pytest.mark.parametrize("seed", [0, 7, 1234567])
def test_a_client_alone_reads_and_writes_once(policy: str, seed: int) -> None:
    """One call, and two round trips of time."""
    alone = replace(IN_STEP, clients=1, policy=policy)
    assert play(alone, seed) == (1, 40.0)
    assert play(replace(alone, hop_deviation_ticks=2.0), seed).calls == 1


@pytest.mark.parametrize("policy", ["none", "fixed", "exponential"])
@pytest.mark.parametrize("clients", [2, 3, 10])
def test_in_step_each_round_serves_one(policy: str, clients: int) -> None:
    """Where messages take the same time and no jitter parts the clients, n of them call n + (n − 1) + … + 1 times."""
    assert play(replace(IN_STEP, clients=clients, policy=policy), 7).calls == clients * (clients + 1) / 2


def test_two_in_step_by_hand() -> None:
    """The loser learns it after 40 ticks, waits, and needs another 40; the first exponent is 1, the cap holds."""
    two = replace(IN_STEP, clients=2)
    assert play(replace(two, policy="none"), 7) == (3, 80.0)
    assert play(replace(two, policy="fixed", base_ticks=5.0), 7) == (3, 85.0)
    assert play(replace(two, policy="exponential", base_ticks=5.0), 7) == (3, 90.0)
    assert play(replace(two, policy="exponential", base_ticks=5.0, cap_ticks=8.0), 7) == (3, 88.0)


def test_three_in_step_by_hand() -> None:
    """The last one has waited twice: 10 ticks, then 20."""
    assert play(replace(IN_STEP, clients=3, policy="exponential"), 7) == (6, 3 * 40.0 + 10 + 20)


@pytest.mark.parametrize("policy", DRAWN)
def test_the_first_wait_is_drawn_from_its_range(policy: str) -> None:
    """Of two in step, one waits: full up to 2 · base, equal from base on, decorrelated from base to 3 · base."""
    low, high = {"full": (0, 10), "equal": (5, 10), "decorrelated": (5, 15)}[policy]
    waits = [play(replace(IN_STEP, clients=2, policy=policy), seed).finish_time - 80 for seed in range(200)]
    assert low <= min(waits) < low + 0.1 * (high - low)
    assert high >= max(waits) > high - 0.1 * (high - low)


@pytest.mark.parametrize("policy", WAITS)
def test_the_same_seed_gives_the_same(policy: str) -> None:
    """And another seed something else."""
    setting = Contention(clients=20, policy=policy)  # type: ignore[arg-type]  # one of WAITS
    assert contend(setting, 5) == contend(setting, 5)
    assert len({play(setting, seed).finish_time for seed in range(5)}) == 5


def test_without_backoff_calls_grow_nearly_with_the_square() -> None:
    """From 80 to 320 clients by the power 1.8 or more; with full jitter by 1.5 at most."""
    powers = {
        policy: math.log(_calls(policy, 320) / _calls(policy, 80), 4) for policy in ("none", "exponential", "full")
    }
    assert 1.8 < powers["none"] < 2
    assert powers["none"] > powers["exponential"] > powers["full"]
    assert powers["full"] < 1.5


def _calls(policy: str, clients: int) -> float:
    return contend(Contention(clients=clients, policy=policy), 3).calls  # type: ignore[arg-type]  # one of WAITS


@pytest.mark.parametrize("policy", ["none", "exponential", "full", "equal", "decorrelated"])
def test_another_simulation_agrees(policy: str) -> None:
    """One written as people would act it out, with other dice: means agree within four standard errors."""
    ours = [float(one.calls) for one in contend(Contention(clients=15, policy=policy), 60).played]  # type: ignore[arg-type]  # one of WAITS
    theirs = [float(_acted_out(policy, 15, random.Random(f"{policy}/{n}"))) for n in range(60)]
    spread = math.sqrt(stdev(ours) ** 2 / len(ours) + stdev(theirs) ** 2 / len(theirs))
    assert fmean(ours) == pytest.approx(fmean(theirs), abs=4 * spread)


def _acted_out(policy: str, clients: int, dice: random.Random) -> int:
    """Calls; each client is a generator that yields how long until it is heard next, then acts on the shared row."""
    row = {"version": 0, "calls": 0}

    def hop() -> float:
        return abs(dice.gauss(10, 2))

    def client() -> Iterator[float]:
        retries, sleep = 0, 5.0
        yield hop()
        while True:
            seen = row["version"]
            yield hop() + hop()
            row["calls"] += 1
            if row["version"] == seen:
                row["version"] += 1
                return
            retries += 1
            top = min(2000.0, 5.0 * 2**retries)
            sleep = min(2000.0, dice.uniform(5.0, 3 * sleep))
            wait = {
                "none": 0.0,
                "exponential": top,
                "full": dice.uniform(0, top),
                "equal": top / 2 + dice.uniform(0, top / 2),
                "decorrelated": sleep,
            }[policy]
            yield hop() + wait + hop()

    lives = [client() for _ in range(clients)]
    clock = {life: next(life) for life in lives}
    while clock:
        life = min(clock, key=lambda life: clock[life])
        try:
            clock[life] += next(life)
        except StopIteration:
            del clock[life]
    return row["calls"]


def test_progress_is_heard_after_each_seed() -> None:
    """How many are done, and of how many."""
    heard: list[tuple[int, int]] = []
    contend(Contention(clients=2), 3, progress=lambda done, of: heard.append((done, of)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("clients", 0), ("clients", 1001), ("clients", 2.5), ("policy", "brave"), ("base_ticks", 0.0)),
        *(("cap_ticks", math.nan), ("hop_ticks", -1.0), ("hop_deviation_ticks", math.inf)),
    ],
)
def test_a_value_out_of_bounds_is_told(name: str, value: object) -> None:
    """With its name."""
    with pytest.raises(ScenarioError) as caught:
        Contention(**{name: value})  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.name == name


@pytest.mark.parametrize("seeds", [0, 10_001, 1.5])
def test_the_number_of_seeds_is_bounded(seeds: int) -> None:
    """From 1 on, and whole."""
    with pytest.raises(ScenarioError, match="seeds"):
        contend(Contention(clients=2), seeds)
