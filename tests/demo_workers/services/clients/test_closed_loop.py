"""Clients who wait for an answer and think before they ask again, seen in their record."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_workers.closed_tape import LEAST_CYCLE_S, ClosedTape
from demo_workers.records.events import Kind
from demo_workers.scenario import Load, Retry, Scenario
from demo_workers.variates import Stream, variate

from .bench import Bench, until
from .server import FINE, Arrival, LabServer, http, says, silent

pytestmark = pytest.mark.live

FULL = http(503, {"retry_after_s": 0.0}, "Retry-After: 0")


def scenario(
    clients: int = 10, think_time_s: float = 0.05, duration_s: float = 0.5, seed: int = 7, **retry: Any
) -> Scenario:
    """A closed loop; everything else about retries."""
    load = Load(kind="closed", clients=clients, think_time_s=think_time_s, duration_s=duration_s)
    return Scenario(load=load, retry=Retry(**retry), seed=seed)


async def after_20_ms(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """A server with no queue and a service time."""
    await asyncio.sleep(0.02)
    writer.write(FINE)


def journeys(bench: Bench) -> dict[int, tuple[float, float]]:
    """When each request was due, and when it had ended."""
    due = {r["request"].item(): r["value"].item() for r in bench.rows(Kind.SENT) if r["attempt"] == 1}
    ended: dict[int, float] = {}
    for row in bench.rows(Kind.ANSWERED):
        ended[row["request"].item()] = row["t"].item()
    return {request: (due[request], ended[request]) for request in due}


class TestLaws:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_each_client_waits_and_thinks(self, bench: Bench, socket_path: Path, seed: int) -> None:
        """A client's next request is due its own think time after the end of the one before, retries and all."""
        plan = scenario(seed=seed, attempts=3, policy="full", base_s=0.01, timeout_s=0.05)
        async with LabServer(socket_path, says(FULL, FINE)) as server:
            await bench.play(server.address, plan)
        found = journeys(bench)
        assert len(found) > 15
        for request, (due_s, _) in found.items():
            think_s = -math.log1p(-variate(seed, Stream.THINK, request)) * 0.05
            began_s, ended_s = found[request - 10] if request >= 10 else (-math.inf, 0.0)
            assert due_s == max(ended_s + think_s, began_s + LEAST_CYCLE_S)

    @pytest.mark.parametrize("clients", [1, 7, 40])
    async def test_never_more_in_flight_than_clients(self, bench: Bench, socket_path: Path, clients: int) -> None:
        """However eager they are."""
        async with LabServer(socket_path, after_20_ms) as server:
            await bench.play(server.address, scenario(clients, 0.0, 0.3))
            assert server.connections <= clients
        steps = sorted([(r["t"], 1) for r in bench.rows(Kind.SENT)] + [(r["t"], -1) for r in bench.rows(Kind.ANSWERED)])
        in_flight = np.cumsum([step for _, step in steps])
        assert in_flight.max() == clients

    async def test_throughput(self, bench: Bench, socket_path: Path) -> None:
        """N clients with think time Z and response R make at most N/(Z + R) requests a second, within noise."""
        n, z = 40, 0.06
        async with LabServer(socket_path, after_20_ms) as server:
            counts = await bench.play(server.address, scenario(n, z, 1.5))
        found = np.array(list(journeys(bench).values()))
        r = np.mean(found[:, 1] - found[:, 0])
        assert r >= 0.02
        expected = 1.5 * n / (z + r)
        assert 0.5 * expected < counts["requests"] < expected + 5 * math.sqrt(expected)

    async def test_a_stalled_server_is_asked_no_more(self, bench: Bench, socket_path: Path) -> None:
        """Where the open loop would go on, each client hangs on to its one request: overload is hidden."""
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, scenario(10, 0.01, 0.3))
            await until(lambda: bench.told)
            counts = generator.end()
        assert counts["attempts"] == counts["requests"] == counts["gave_up"] == 10


class TestEnds:
    async def test_the_tape_ends_with_its_duration(self, bench: Bench, socket_path: Path) -> None:
        """No request begins after it; those that are out may end later."""
        async with LabServer(socket_path, after_20_ms) as server:
            await bench.play(server.address, scenario(20, 0.01, 0.3))
        assert bench.rows(Kind.SENT)["value"].max() <= 0.3 < bench.rows(Kind.ANSWERED)["t"].max()
        assert bench.told == ["tape_over", "load_over"]

    async def test_stop_of_an_open_ended_one(self, bench: Bench, socket_path: Path) -> None:
        """It goes on past its duration until stop, and then nobody begins again."""
        async with LabServer(socket_path, after_20_ms) as server:
            generator = bench.begin(server.address, scenario(5, 0.01, 0.05), open_ended=True)
            await until(lambda: generator.status()["t"] > 0.2)
            generator.stop()
            requests = generator.status()["requests"]
            await until(lambda: "load_over" in bench.told)
            assert generator.end()["requests"] == requests == len(journeys(bench))

    async def test_cut_ends_it_for_good(self, bench: Bench, socket_path: Path) -> None:
        """A client whose request is cut does not think again, though the tape had not ended."""
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, scenario(5, 0.0, 60))
            await until(lambda: len(server.arrivals) == 5)
            assert generator.cut() == {"attempts_cut": 5, "retries_cut": 0}
        assert bench.told == ["tape_over", "load_over"]
        assert generator.end()["requests"] == 5


class TestNoThinkTime:
    async def test_refused_at_once_for_ever(self, bench: Bench, socket_path: Path) -> None:
        """Clients who neither think nor leave, as the breaker is open, do not keep the loop from its other work."""
        plan = scenario(20, 0.0, 60, breaker_failures=1, breaker_open_s=60)
        rounds = 0
        async with LabServer(socket_path, says(http(500, b""))) as server:
            generator = bench.begin(server.address, plan)
            await until(lambda: generator.status()["held_back"] > 20)
            start, held = time.monotonic(), generator.status()["held_back"]
            while time.monotonic() < start + 0.2:
                await asyncio.sleep(0)
                rounds += 1
            more = generator.status()["held_back"] - held
            generator.end()
        assert rounds > 50
        # a fence of n pieces has n + 1 posts: so many cycles may begin in that time
        assert 0 < more <= 20 * ((time.monotonic() - start) / LEAST_CYCLE_S + 1)

    async def test_of_a_fast_server(self, bench: Bench, socket_path: Path) -> None:
        """Without think time the clients are never idle: each sends as soon as it has its answer."""
        async with LabServer(socket_path, after_20_ms) as server:
            await bench.play(server.address, scenario(4, 0.0, 0.5))
        found = journeys(bench)
        assert all(due_s == found[request - 4][1] for request, (due_s, _) in found.items() if request >= 4)


class TestSteering:
    async def test_think_time(self, bench: Bench, socket_path: Path) -> None:
        """A shorter think time brings more requests at once, exactly as the tape has it."""
        plan, eager = scenario(50, 10.0, 60), scenario(50, 0.1, 60)
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, plan)
            await until(lambda: generator.status()["t"] > 0.1)
            t = generator.steer(eager)
            await until(lambda: generator.status()["requests"] == 50)
            generator.end()
        tape = ClosedTape(plan)
        due = []
        while tape.due_s <= t:
            due.append(tape.pop().due_s)
        tape.steer(t, eager)
        due += [tape.pop().due_s for _ in range(50 - len(due))]
        assert bench.rows(Kind.SENT)["value"].tolist() == due
