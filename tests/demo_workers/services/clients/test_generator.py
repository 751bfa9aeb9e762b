from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from demo_workers.policies.backoff import POLICIES, BackoffState
from demo_workers.records.events import ClientOutcome, Kind
from demo_workers.scenario import Load, Retry, Scenario, Service
from demo_workers.services.clients.histogram import FLOOR_S, GROWTH
from demo_workers.tape import Tape
from demo_workers.variates import Stream, variate
from tests.patience import patience

from .bench import Bench, until
from .server import FINE, Arrival, LabServer, http, says, silent

pytestmark = pytest.mark.live

FULL = http(503, {"retry_after_s": 0.05}, "Retry-After: 1")


def scenario(rate: float = 400, duration_s: float = 0.1, **retry: Any) -> Scenario:
    """A short load; everything else about retries."""
    return Scenario(load=Load(arrival_rate=rate, duration_s=duration_s), retry=Retry(**retry))


def keys(rows: Any) -> list[tuple[int, int]]:
    """(request, attempt) of each row, sorted."""
    return sorted(zip(rows["request"].tolist(), rows["attempt"].tolist(), strict=True))


class TestOpenLoop:
    async def test_the_tape_is_played(self, bench: Bench, socket_path: Path) -> None:
        """Each request of the tape leaves once, for its client, with its service time, at its time."""
        plan = scenario()
        async with LabServer(socket_path) as server:
            await bench.play(server.address, plan)
        tape = list(Tape(plan))
        sent = bench.rows(Kind.SENT)
        assert sent["value"].tolist() == [r.due_s for r in tape]
        assert sent["actor"].tolist() == [r.client for r in tape]
        assert (sent["t"] >= sent["value"]).all()
        came = sorted(server.arrivals, key=lambda a: a.request)
        assert [a.body for a in came] == [
            {"task": "work", "args": {"service_time_s": r.service_time_s, "kind": "sleep"}} for r in tape
        ]
        assert [a.client for a in came] == [r.client for r in tape]

    async def test_answers_are_not_waited_for(self, bench: Bench, socket_path: Path) -> None:
        """A server that never answers is met by every request on schedule."""
        plan = scenario(400)
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, plan)
            await until(lambda: bench.told)
            assert generator.status()["in_flight"] == len(list(Tape(plan)))
            generator.end()
        assert bench.rows(Kind.SENT)["value"].tolist() == [r.due_s for r in Tape(plan)]

    async def test_record_is_what_arrived(self, bench: Bench, socket_path: Path) -> None:
        """The record's SENT rows are the server's own log, and every attempt has one end, at a later time."""
        plan = scenario(policy="full", attempts=3, base_s=0.01, cap_s=0.02)
        async with LabServer(socket_path, says(FULL, http(500, b""), FINE)) as server:
            await bench.play(server.address, plan)
        sent, ended = bench.rows(Kind.SENT), bench.rows(Kind.ANSWERED)
        assert keys(sent) == sorted((a.request, a.attempt) for a in server.arrivals) == keys(ended)
        arrived = {(a.request, a.attempt): a.t - bench.origin for a in server.arrivals}
        assert all(row["t"] <= arrived[row["request"], row["attempt"]] for row in sent)
        assert all(row["t"] >= arrived[row["request"], row["attempt"]] for row in ended)
        assert Counter(
            zip(ended["attempt"].tolist(), ended["status"].tolist(), ended["code"].tolist(), strict=True)
        ) == {
            (1, 503, ClientOutcome.REFUSED): len(sent) // 3,
            (2, 500, ClientOutcome.ERRORED): len(sent) // 3,
            (3, 200, ClientOutcome.SUCCEEDED): len(sent) // 3,
        }

    async def test_bound_on_attempts_in_flight(self, bench: Bench, socket_path: Path) -> None:
        """An attempt above the bound is an error on the record, not a gap in it."""
        plan = scenario(timeout_s=5)
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, plan, max_in_flight=10)
            await until(lambda: bench.told)
            counts = generator.end()
        assert len(server.arrivals) == 10
        assert counts["attempts"] == len(list(Tape(plan)))
        assert counts["errored"] == counts["attempts"] - 10
        assert len(bench.rows(Kind.SENT)) == len(bench.rows(Kind.ANSWERED)) == counts["attempts"]


class TestPatience:
    async def test_hangs_up(self, bench: Bench, socket_path: Path) -> None:
        """When patience is over the client closes the connection, not before and not much later."""
        async with LabServer(socket_path, silent) as server:
            await bench.play(server.address, scenario(timeout_s=0.15))
            await until(lambda: server.open_now == 0)
        sent, ended = bench.rows(Kind.SENT), bench.rows(Kind.ANSWERED)
        due = dict(zip(sent["request"].tolist(), sent["value"].tolist(), strict=True))
        waited = np.array([row["t"] - due[row["request"]] for row in ended])
        assert set(ended["code"].tolist()) == {ClientOutcome.TIMED_OUT}
        assert set(ended["status"].tolist()) == {0}
        assert (waited >= 0.15).all()
        assert waited.max() < patience(1)  # the server was told to hold on for that long
        assert {a.headers["prefer"] for a in server.arrivals} == {"wait=1"}

    async def test_slow_drip(self, bench: Bench, socket_path: Path) -> None:
        """Bytes that keep coming do not extend patience."""

        async def drip(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            for byte in FINE:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        async with LabServer(socket_path, drip) as server:
            counts = await bench.play(server.address, scenario(50, 0.2, timeout_s=0.2))
        assert counts["timed_out"] == counts["attempts"]

    async def test_server_waited_long_enough(self, bench: Bench, socket_path: Path) -> None:
        """A 202 means that the server stopped waiting first, which is a time-out as well."""
        async with LabServer(socket_path, says(http(202, {}))) as server:
            counts = await bench.play(server.address, scenario())
        assert counts["timed_out"] == counts["attempts"]
        assert set(bench.rows(Kind.ANSWERED)["status"].tolist()) == {202}

    async def test_deadline(self, bench: Bench, socket_path: Path) -> None:
        """The deadline cuts an attempt short, counted from the request's first due time, and ends the request."""
        plan = scenario(50, 0.3, timeout_s=0.8, deadline_s=1.2, attempts=10, policy="fixed", base_s=0.02)
        async with LabServer(socket_path, silent) as server:
            await bench.play(server.address, plan)
        due = {r.request: r.due_s for r in Tape(plan)}
        ended = bench.rows(Kind.ANSWERED)
        by_attempt = {(row["attempt"].item(), row["code"].item()) for row in ended}
        assert by_attempt == {(1, ClientOutcome.TIMED_OUT), (2, ClientOutcome.GAVE_UP)}
        over = [row["t"] - due[row["request"]] for row in ended if row["attempt"] == 2]
        assert min(over) >= 1.2
        assert max(over) < 1.2 + patience(0.7)

    async def test_no_retry_after_the_deadline(self, bench: Bench, socket_path: Path) -> None:
        """A retry that would begin after the deadline is not even planned."""
        plan = scenario(deadline_s=0.3, attempts=10, policy="fixed", base_s=0.4)
        async with LabServer(socket_path, says(FULL)) as server:
            counts = await bench.play(server.address, plan)
        assert counts["attempts"] == counts["requests"] == counts["refused"]
        assert np.isnan(bench.rows(Kind.ANSWERED)["value"]).all()


class TestRetries:
    @pytest.mark.parametrize(("policy", "honour"), [*((policy, True) for policy in POLICIES), ("full", False)])
    async def test_follow_the_policy(self, bench: Bench, socket_path: Path, policy: Any, honour: bool) -> None:
        """Each wait is the policy's own for this seed, request and attempt, on top of Retry-After where honoured."""
        plan = scenario(200, 0.1, policy=policy, attempts=3, base_s=0.02, cap_s=0.03, honour_retry_after=honour)
        async with LabServer(socket_path, says(FULL)) as server:
            await bench.play(server.address, plan)
        sent = {(r["request"].item(), r["attempt"].item()): r for r in bench.rows(Kind.SENT)}
        ended = {(r["request"].item(), r["attempt"].item()): r for r in bench.rows(Kind.ANSWERED)}
        assert len(sent) == 3 * len(list(Tape(plan)))
        for request in range(len(sent) // 3):
            state = BackoffState()
            for attempt in (1, 2):
                u = variate(plan.seed, Stream.JITTER, request, attempt)
                state, wait_s = POLICIES[policy](state, 0.0, u, 0.02, 0.03)
                wait_s += 0.05 if honour else 0.0
                last, following = ended[request, attempt], sent[request, attempt + 1]
                assert last["value"] == wait_s
                assert following["value"] == last["t"] + wait_s
                assert following["t"] >= following["value"]
            assert math.isnan(ended[request, 3]["value"])

    async def test_at_once_after_a_timeout(self, bench: Bench, socket_path: Path) -> None:
        """The impatient client sends the next attempt as soon as its patience is over."""
        plan = scenario(50, 0.2, policy="fixed", base_s=5, attempts=3, timeout_s=0.05, after_timeout="at_once")
        async with LabServer(socket_path, silent) as server:
            counts = await bench.play(server.address, plan)
        assert counts["attempts"] == counts["timed_out"] == 3 * len(list(Tape(plan)))

    async def test_a_failed_job_is_an_error(self, bench: Bench, socket_path: Path) -> None:
        """A job that failed is tried again; its status says that HTTP was fine."""
        async with LabServer(socket_path, says(http(200, {"status": "failed"}), FINE)) as server:
            counts = await bench.play(server.address, scenario(attempts=2))
        assert counts["errored"] == counts["succeeded"] == counts["requests"]
        assert set(bench.rows(Kind.ANSWERED)["status"].tolist()) == {200}

    async def test_nobody_listens(self, bench: Bench, socket_path: Path) -> None:
        """Without a server every attempt is an error on the record."""
        counts = await bench.play({"uds": str(socket_path)}, scenario(attempts=2))
        assert counts["errored"] == counts["attempts"] == 2 * len(list(Tape(scenario())))
        assert set(bench.rows(Kind.ANSWERED)["status"].tolist()) == {0}


class TestSteering:
    async def test_rate(self, bench: Bench, socket_path: Path) -> None:
        """A new rate counts from the moment it is set, exactly as the tape has it."""
        plan, faster = scenario(100), scenario(400)
        async with LabServer(socket_path) as server:
            generator = bench.begin(server.address, plan, open_ended=True)
            await until(lambda: time.monotonic() > bench.origin + 0.3)
            t = generator.steer(faster)
            await until(lambda: time.monotonic() > bench.origin + t + 0.3)
            generator.end()
        tape, due = Tape(plan, open_ended=True), list[float]()
        while tape.due_s <= t:
            due.append(tape.pop().due_s)
        tape.steer(t, faster)
        sent = bench.rows(Kind.SENT)["value"].tolist()
        while len(due) < len(sent):
            due.append(tape.pop().due_s)
        assert sent == due
        assert t >= 0.3
        assert sum(s > t for s in sent) > sum(s <= t for s in sent)

    async def test_service_and_retries(self, bench: Bench, socket_path: Path) -> None:
        """Service and retries change from the next request and the next decision on."""
        steered = Scenario(
            load=Load(arrival_rate=200, duration_s=0.15),
            service=Service(service_time_s=0.2, distribution="deterministic", work="cpu"),
            retry=Retry(attempts=2, timeout_s=3.0),
        )
        async with LabServer(socket_path, says(http(500, b""))) as server:
            generator = bench.begin(server.address, scenario(200), open_ended=True)
            await until(lambda: len(server.arrivals) > 30)
            t = generator.steer(steered)
            begun = len(server.arrivals)
            await until(lambda: len(server.arrivals) > begun + 50)
            generator.stop()
            await until(lambda: "load_over" in bench.told)
        sent_s = {(row["request"], row["attempt"]): row["t"] for row in bench.rows(Kind.SENT)}
        before = [a for a in server.arrivals if sent_s[a.request, a.attempt] < t]
        after = [a for a in server.arrivals if sent_s[a.request, a.attempt] > t]
        assert {a.attempt for a in before} == {1}
        assert {a.attempt for a in after} == {1, 2}
        assert {a.headers["prefer"] for a in before} == {"wait=30"}
        assert {a.headers["prefer"] for a in after} == {"wait=3"}
        new = {(a.body["args"]["service_time_s"], a.body["args"]["kind"]) for a in after if a.attempt == 1}
        assert new == {(0.2, "cpu")}

    async def test_from_zero(self, bench: Bench, socket_path: Path) -> None:
        """A load of rate 0 waits for its knob to be turned."""
        async with LabServer(socket_path) as server:
            generator = bench.begin(server.address, scenario(0), open_ended=True)
            await until(lambda: time.monotonic() > bench.origin + 0.1)
            assert not server.arrivals
            generator.steer(scenario(300))
            await until(lambda: len(server.arrivals) > 5)
        assert bench.told == []


class TestEnds:
    async def test_tape_then_load(self, bench: Bench, socket_path: Path) -> None:
        """The tape ends with the load's duration, the load with its last request; each is told once."""
        async with LabServer(socket_path, silent) as server:
            bench.begin(server.address, scenario(100, 0.2, timeout_s=0.3))
            await until(lambda: bench.told)
            assert bench.told == ["tape_over"]
            assert bench.origin + 0.2 <= time.monotonic()
            await until(lambda: len(bench.told) == 2)
            assert bench.generator is not None
            bench.generator.end()
        assert bench.told == ["tape_over", "load_over"]

    async def test_nothing_to_do(self, bench: Bench, socket_path: Path) -> None:
        """A load without requests ends too."""
        counts = await bench.play({"uds": str(socket_path)}, scenario(0, 0.1))
        assert counts["requests"] == 0
        assert counts["lateness"] == dict.fromkeys(("p50_s", "p95_s", "p99_s", "max_s"), 0.0)

    async def test_stop(self, bench: Bench, socket_path: Path) -> None:
        """After stop no request begins, but attempts and retries go on."""
        async with LabServer(socket_path, says(FULL, FINE)) as server:
            generator = bench.begin(server.address, scenario(attempts=2, policy="fixed"), open_ended=True)
            await until(lambda: len(server.arrivals) > 10)
            generator.stop()
            requests = generator.status()["requests"]
            await until(lambda: "load_over" in bench.told)
            counts = generator.end()
        assert counts["requests"] == requests == counts["succeeded"] == counts["refused"]

    async def test_cut(self, bench: Bench, socket_path: Path) -> None:
        """Cut closes attempts that are out as given up, forgets planned retries, and ends the load."""

        async def odd_refused(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            if arrival.request % 2:
                writer.write(FULL)

        async with LabServer(socket_path, odd_refused) as server:
            generator = bench.begin(server.address, scenario(attempts=2, policy="fixed", base_s=60, cap_s=60))
            await until(lambda: bench.told and generator.status()["in_flight"] == (len(server.arrivals) + 1) // 2)
            requests = len(server.arrivals)
            assert generator.cut() == {"attempts_cut": (requests + 1) // 2, "retries_cut": requests // 2}
            assert generator.cut() == {"attempts_cut": 0, "retries_cut": 0}
            assert bench.told == ["tape_over", "load_over"]
            counts = generator.end()
            await until(lambda: server.open_now == 0)
        assert (counts["gave_up"], counts["refused"]) == ((requests + 1) // 2, requests // 2)
        codes = Counter(bench.rows(Kind.ANSWERED)["code"].tolist())
        assert codes == {ClientOutcome.GAVE_UP: counts["gave_up"], ClientOutcome.REFUSED: counts["refused"]}

    async def test_end_twice(self, bench: Bench, socket_path: Path) -> None:
        """End stops and cuts by itself, and may be called twice."""
        async with LabServer(socket_path, silent) as server:
            generator = bench.begin(server.address, scenario())
            await until(lambda: len(server.arrivals) > 10)
            assert generator.end() == generator.end()
        assert len(bench.rows(Kind.SENT)) == len(bench.rows(Kind.ANSWERED))


class TestCounts:
    async def test_agree_with_the_record(self, bench: Bench, socket_path: Path) -> None:
        """Whatever happens, the counters kept in memory and the rows on file tell the same story."""
        answers = [FINE, FULL, http(429, {}), http(404, b""), http(202, {}), b"junk\r\n\r\n", b"reset", None, None]

        async def anything(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            answer = answers[(arrival.request + arrival.attempt) % len(answers)]
            if answer == b"reset":
                writer.transport.abort()
            elif answer is not None:
                writer.write(answer)

        plan = scenario(1000, 0.3, policy="full", attempts=4, base_s=0.01, timeout_s=0.1, deadline_s=0.15)
        async with LabServer(socket_path, anything) as server:
            counts = await bench.play(server.address, plan)
        sent, ended = bench.rows(Kind.SENT), bench.rows(Kind.ANSWERED)
        code, status = ended["code"], ended["status"]
        assert counts["requests"] == len(np.unique(sent["request"]))
        assert counts["attempts"] == len(sent) == len(ended)
        assert counts["refused"] == (status == 503).sum()
        assert counts["throttled"] == (status == 429).sum()
        assert counts["refused"] + counts["throttled"] == (code == ClientOutcome.REFUSED).sum()
        for name in ("succeeded", "timed_out", "gave_up", "errored"):
            assert counts[name] == (code == ClientOutcome[name.upper()]).sum() > 0, name

    async def test_lateness_is_that_of_the_record(self, bench: Bench, socket_path: Path) -> None:
        """Lateness is sent minus due, of first attempts and retries alike."""
        async with LabServer(socket_path, says(FULL, FINE)) as server:
            counts = await bench.play(server.address, scenario(attempts=2))
        sent = bench.rows(Kind.SENT)
        late = np.percentile(sent["t"] - sent["value"], [50, 95, 99, 100], method="inverted_cdf")
        told = [counts["lateness"][name] for name in ("p50_s", "p95_s", "p99_s", "max_s")]
        assert all(exact <= found <= max(exact * GROWTH, FLOOR_S) for exact, found in zip(late, told, strict=True))

    async def test_no_leak(self, bench: Bench, socket_path: Path) -> None:
        """After thousands of attempts, answered, refused, hung up or broken, no file stays open."""

        async def mixed(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
            match arrival.request % 4:
                case 0:
                    writer.write(FINE)
                case 1:
                    writer.write(FULL)
                case 2:
                    writer.transport.abort()

        files = psutil.Process().num_fds()
        plan = scenario(1500, 0.5, attempts=4, policy="full", base_s=0.02, timeout_s=0.1)
        async with LabServer(socket_path, mixed) as server:
            counts = await bench.play(server.address, plan)
            assert counts["attempts"] > 2000
            await until(lambda: server.open_now == 0)
        await until(lambda: psutil.Process().num_fds() <= files + 5)  # the loop opens a few of its own
