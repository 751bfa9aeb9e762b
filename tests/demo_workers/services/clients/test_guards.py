"""What the guards promise, seen in the record of clients that met a real server."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_workers.records.events import ClientOutcome, Events, Guard, Kind, NoRetry, read_events
from demo_workers.scenario import Load, Retry, Scenario
from demo_workers.services.clients.guards import Guards

from .bench import Bench, until
from .server import FINE, Arrival, Behaviour, LabServer, http, says

pytestmark = pytest.mark.live

FULL = http(503, {"retry_after_s": 0.0}, "Retry-After: 0")
BROKEN = http(500, b"")


def scenario(rate: float = 300, duration_s: float = 0.5, seed: int = 7, **retry: Any) -> Scenario:
    """An open load of clients who try again quickly."""
    quick = {"policy": "full", "attempts": 4, "base_s": 0.01, "cap_s": 0.03, **retry}
    return Scenario(load=Load(arrival_rate=rate, duration_s=duration_s), retry=Retry(**quick), seed=seed)


def all_rows(bench: Bench) -> Events:
    """The whole record in the order in which it happened."""
    events, torn = read_events(bench.events)
    assert torn == 0
    return events


def retries_planned(rows: Events) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows end an attempt that has a next one."""
    return np.asarray((rows["kind"] == Kind.ANSWERED) & ~np.isnan(rows["value"]))


class TestBudget:
    @pytest.mark.parametrize(("ratio", "floor"), [(0.1, 0.0), (0.5, 0.5), (0.0, 2.0)])
    async def test_pays_for_a_share(self, bench: Bench, socket_path: Path, ratio: float, floor: float) -> None:
        """At every moment the retries are at most the share of the requests, and the floor since ten seconds before."""
        async with LabServer(socket_path, says(FULL)) as server:
            counts = await bench.play(server.address, scenario(budget_ratio=ratio, budget_floor_per_s=floor))
        rows = all_rows(bench)
        begun = np.cumsum((rows["kind"] == Kind.SENT) & (rows["attempt"] == 1))
        retries = np.cumsum(retries_planned(rows))
        assert (retries <= ratio * begun + floor * (rows["t"] + 10) + 1e-6).all()
        assert 0 < retries[-1] < counts["requests"]
        denied = rows[(rows["kind"] == Kind.ANSWERED) & (rows["actor"] == NoRetry.BUDGET)]
        assert len(denied) == counts["denied_by_budget"] > 0

    async def test_without_it(self, bench: Bench, socket_path: Path) -> None:
        """The same clients without a budget make every retry there is."""
        async with LabServer(socket_path, says(FULL)) as server:
            counts = await bench.play(server.address, scenario())
        assert counts["attempts"] == 4 * counts["requests"]
        assert counts["denied_by_budget"] == 0


class TestBucket:
    @pytest.mark.parametrize("tokens", [2.0, 10.0, 50.0])
    async def test_half_of_it(self, bench: Bench, socket_path: Path, tokens: float) -> None:
        """Where all fails, retries are planned while more than half of the tokens are left, and then never again."""
        async with LabServer(socket_path, says(BROKEN)) as server:
            counts = await bench.play(server.address, scenario(bucket_tokens=tokens))
        ends = bench.rows(Kind.ANSWERED)
        planned = retries_planned(ends)
        half = math.ceil(tokens / 2) - 1
        assert not planned[half:].any()
        asked = planned | (ends["actor"] == NoRetry.BUCKET)
        assert planned[:half][asked[:half]].all()
        assert counts["denied_by_bucket"] == (ends["actor"] == NoRetry.BUCKET).sum() > 0

    async def test_successes_fill_it(self, bench: Bench, socket_path: Path) -> None:
        """With a ratio that outweighs the failures, nothing is denied."""
        async with LabServer(socket_path, says(BROKEN, FINE)) as server:
            counts = await bench.play(server.address, scenario(bucket_tokens=40, bucket_ratio=1))
        assert counts["denied_by_bucket"] == 0
        assert counts["succeeded"] == counts["requests"]


class TestBreaker:
    async def test_stays_open(self, bench: Bench, socket_path: Path) -> None:
        """After five failures in a row nothing leaves for a while, then one probe at a time, each at its distance."""
        async with LabServer(socket_path, says(BROKEN)) as server:
            counts = await bench.play(server.address, scenario(breaker_failures=5, breaker_open_s=0.1))
        rows = all_rows(bench)
        ends = rows[(rows["kind"] == Kind.ANSWERED) & (rows["code"] == ClientOutcome.ERRORED)]
        opened_s = ends["t"][4]
        after = rows["t"][(rows["kind"] == Kind.SENT) & (rows["t"] > opened_s)]
        assert len(after) >= 2
        assert np.diff([opened_s, *after]).min() >= 0.1
        held = bench.rows(Kind.HELD_BACK)
        assert set(held["code"].tolist()) == {Guard.BREAKER}
        assert len(held) == counts["held_back"] > counts["attempts"] == len(bench.rows(Kind.SENT))

    async def test_closes_again(self, bench: Bench, socket_path: Path) -> None:
        """Once a probe has succeeded, everything leaves again."""
        well_s = math.inf

        async def ill_at_first(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            writer.write(FINE if arrival.t > well_s else BROKEN)

        plan = scenario(attempts=1, breaker_failures=3, breaker_open_s=0.05)
        async with LabServer(socket_path, ill_at_first) as server:
            generator = bench.begin(server.address, plan, open_ended=True)
            await until(lambda: generator.status()["held_back"] > 10)
            well_s = time.monotonic()
            await until(lambda: generator.status()["succeeded"] > 50)
            generator.end()
        rows = all_rows(bench)
        first = np.argmax((rows["kind"] == Kind.ANSWERED) & (rows["code"] == ClientOutcome.SUCCEEDED))
        assert Kind.HELD_BACK not in rows["kind"][first:]

    async def test_held_back_attempts_follow_the_policy(self, bench: Bench, socket_path: Path) -> None:
        """An attempt held back is an attempt of its request: REFUSED without a status, and retried like a refusal."""
        plan = scenario(policy="fixed", base_s=0.02, attempts=3, breaker_failures=1, breaker_open_s=60)
        async with LabServer(socket_path, says(BROKEN)) as server:
            await bench.play(server.address, plan)
        rows = all_rows(bench)
        held = rows[rows["kind"] == Kind.HELD_BACK]
        ends = {(r["request"], r["attempt"]): r for r in rows if r["kind"] == Kind.ANSWERED}
        left = {(r["request"], r["attempt"]): r for r in rows if r["kind"] in (Kind.SENT, Kind.HELD_BACK)}
        assert len(held) > 100
        for row in held:
            end = ends[row["request"], row["attempt"]]
            assert (end["t"], end["status"], end["code"]) == (row["t"], 0, ClientOutcome.REFUSED)
            if row["attempt"] < 3:
                assert left[row["request"], row["attempt"] + 1]["value"] == end["t"] + 0.02
            else:
                assert math.isnan(end["value"])
                assert end["actor"] == NoRetry.ATTEMPTS


class TestThrottle:
    async def test_sends_less_than_is_wanted(self, tmp_path: Path) -> None:
        """A server that takes one attempt in ten is sent far fewer than clients want, and more with a larger K."""
        small, large = [await self._counts(tmp_path / name, k) for name, k in (("small", 1.2), ("large", 4.0))]
        assert small["attempts"] < large["attempts"] < 0.9 * large["requests"]

    async def _counts(self, directory: Path, k: float) -> dict[str, Any]:
        os.mkdir(directory)
        bench, taken = Bench(directory), [0]

        async def takes_sixty_a_second(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            fair = taken[0] < 60 * (arrival.t - bench.origin)
            taken[0] += fair
            writer.write(FINE if fair else FULL)

        plan = scenario(600, 1.0, attempts=1, throttle_k=k, throttle_window_s=0.3)
        async with LabServer(None, takes_sixty_a_second) as server:
            counts = await bench.play(server.address, plan)
        assert set(bench.rows(Kind.HELD_BACK)["code"].tolist()) == {Guard.THROTTLE}
        assert counts["attempts"] + counts["held_back"] == counts["requests"]
        return counts

    async def test_lets_a_healthy_server_alone(self, bench: Bench, socket_path: Path) -> None:
        """While everything is accepted nothing is held back, save what is out at the very start."""
        async with LabServer(socket_path) as server:
            counts = await bench.play(server.address, scenario(throttle_k=2))
        assert counts["held_back"] <= 0.2 * counts["requests"]
        assert counts["succeeded"] == counts["attempts"]


def answers_at_random(seed: int) -> Behaviour:
    """A server whose mood changes: fine, full, broken or silent, some time each."""
    dice = np.random.default_rng(seed)

    async def behave(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        mood = int(arrival.t * 10) % 3
        answer = dice.choice([0, 1, 2, 3], p=[[0.8, 0.1, 0.1, 0.0], [0.1, 0.6, 0.1, 0.2], [0.0, 0.1, 0.8, 0.1]][mood])
        if answer < 3:
            writer.write((FINE, FULL, BROKEN)[answer])

    return behave


def random_scenario(seed: int) -> Scenario:
    """Any load, any policy, any guards."""
    dice = np.random.default_rng(seed)

    def maybe(low: float, high: float) -> float | None:
        return float(dice.uniform(low, high)) if dice.random() < 0.6 else None

    failures = maybe(1, 15)
    retry = Retry(
        policy=dice.choice(["none", "immediate", "fixed", "exponential", "full", "equal", "decorrelated"]).item(),
        attempts=int(dice.integers(1, 6)),
        base_s=0.01,
        cap_s=0.05,
        timeout_s=0.1,
        deadline_s=maybe(0.1, 0.4),
        budget_ratio=maybe(0, 0.5),
        breaker_failures=int(failures) if failures else None,
        breaker_open_s=0.05,
        throttle_k=maybe(1, 3),
        throttle_window_s=0.2,
        bucket_tokens=maybe(1, 30),
        bucket_ratio=0.3,
    )
    kind = dice.choice(["poisson", "closed"]).item()
    load = Load(kind=kind, arrival_rate=300, clients=30, think_time_s=float(dice.choice([0.0, 0.05])), duration_s=0.4)
    return Scenario(load=load, retry=retry, seed=seed)


class TestAnyScenario:
    @pytest.mark.parametrize("seed", range(12))
    async def test_the_record_is_whole(self, bench: Bench, socket_path: Path, seed: int) -> None:
        """Attempts count from 1 without a gap, each ends once, the last with a reason, and the counters agree."""
        plan = random_scenario(seed)
        async with LabServer(socket_path, answers_at_random(seed)) as server:
            counts = await bench.play(server.address, plan)
        rows = all_rows(bench)
        began = rows[np.isin(rows["kind"], (Kind.SENT, Kind.HELD_BACK))]
        ends = rows[rows["kind"] == Kind.ANSWERED]
        last = Counter(began["request"].tolist())
        names = sorted(zip(began["request"].tolist(), began["attempt"].tolist(), strict=True))
        assert names == [(request, n + 1) for request in sorted(last) for n in range(last[request])]
        assert names == sorted(zip(ends["request"].tolist(), ends["attempt"].tolist(), strict=True))
        due = {(r["request"], r["attempt"]): r["value"] for r in began}
        for end in ends:
            if end["attempt"] == last[end["request"].item()]:
                assert math.isnan(end["value"])
                NoRetry(end["actor"])
            else:
                assert end["actor"] == -1
                assert due[end["request"], end["attempt"] + 1] == end["t"] + end["value"]
        assert counts["requests"] == len(last)
        assert counts["attempts"] == (rows["kind"] == Kind.SENT).sum() == len(server.arrivals)
        assert counts["held_back"] == (rows["kind"] == Kind.HELD_BACK).sum()
        assert counts["denied_by_budget"] == (ends["actor"] == NoRetry.BUDGET).sum()
        assert counts["denied_by_bucket"] == (ends["actor"] == NoRetry.BUCKET).sum()

    @pytest.mark.parametrize("seed", range(100, 112))
    async def test_the_record_explains_every_decision(self, bench: Bench, socket_path: Path, seed: int) -> None:
        """The guards, asked again with nothing but the record in their hands, say the same."""
        plan = random_scenario(seed)
        async with LabServer(socket_path, answers_at_random(seed)) as server:
            await bench.play(server.address, plan)
        again = Guards(plan.seed, plan.retry)
        sent_s: dict[tuple[int, int], float] = {}
        for row in all_rows(bench):
            name, t = (row["request"].item(), row["attempt"].item()), row["t"].item()
            if row["kind"] == Kind.ANSWERED:
                if name in sent_s:
                    again.attempt_ended(t, sent_s[name], failed=row["code"] != ClientOutcome.SUCCEEDED)
                if row["actor"] in (-1, NoRetry.BUDGET, NoRetry.BUCKET):
                    assert again.deny_retry(t) == (None if row["actor"] == -1 else row["actor"])
                continue
            if row["attempt"] == 1:
                again.request_begins(t)
            held = again.hold_back(t, *name)
            assert held == (row["code"] if row["kind"] == Kind.HELD_BACK else None)
            if held is None:
                sent_s[name] = t


class TestSteering:
    async def test_guards_act_at_once(self, bench: Bench, socket_path: Path) -> None:
        """A breaker turned on holds back from the next attempt on, and one turned off lets go, and forgets."""
        loose = scenario(500, 60, attempts=1)
        strict = scenario(500, 60, attempts=1, breaker_failures=20, breaker_open_s=60)
        async with LabServer(socket_path, says(BROKEN)) as server:
            generator = bench.begin(server.address, loose, open_ended=True)
            turned = []
            # the last one counts on a breaker that is closed again: some attempts leave before it opens
            for plan, moved, by in ((strict, "held_back", 3), (loose, "attempts", 3), (strict, "attempts", 1)):
                before = generator.status()[moved]
                turned.append(generator.steer(plan))
                await until(lambda name=moved, goal=before + by: generator.status()[name] >= goal)  # type: ignore[misc]
            generator.end()
        rows = all_rows(bench)
        held_s = rows["t"][rows["kind"] == Kind.HELD_BACK]
        sent_s = rows["t"][rows["kind"] == Kind.SENT]
        assert held_s.min() > turned[0]
        assert not ((held_s > turned[1]) & (held_s < turned[2])).any()
        assert (sent_s > turned[1]).any()
