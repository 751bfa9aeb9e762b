"""What the clients say beside the work itself: for how long they wait, how urgent it is, and which wish it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo_workers.records.events import Kind
from demo_workers.scenario import Load, Retry, Scenario
from demo_workers.tape import Tape

from .bench import Bench
from .server import FINE, Arrival, LabServer, http, says

pytestmark = pytest.mark.live

FULL = http(503, {"retry_after_s": 0.0}, "Retry-After: 0")


def scenario(urgent_share: float = 0.0, **retry: Any) -> Scenario:
    """A short load of which each request needs two attempts."""
    load = Load(arrival_rate=400, duration_s=0.1, urgent_share=urgent_share)
    return Scenario(load=load, retry=Retry(**{"policy": "fixed", "attempts": 2, "base_s": 0.02, **retry}))


async def arrivals(bench: Bench, socket_path: Path, plan: Scenario) -> list[Arrival]:
    """What a server met that refused each request once."""
    async with LabServer(socket_path, says(FULL, FINE)) as server:
        await bench.play(server.address, plan)
    return server.arrivals


class TestDeadline:
    @pytest.mark.parametrize(
        ("timeout_s", "deadline_s"), [(0.5, None), (None, 0.8), (0.5, 0.8), (0.5, 0.51), (1.2, 0.8)]
    )
    async def test_is_the_time_that_is_left(
        self, bench: Bench, socket_path: Path, timeout_s: float | None, deadline_s: float | None
    ) -> None:
        """Each attempt says how long its client will still wait: its patience, or less when the deadline is near."""
        found = await arrivals(bench, socket_path, scenario(timeout_s=timeout_s, deadline_s=deadline_s))
        sent = {(r["request"], r["attempt"]): r for r in bench.rows(Kind.SENT)}
        first_due = {r["request"]: r["value"] for r in bench.rows(Kind.SENT) if r["attempt"] == 1}
        for arrival in found:
            row = sent[arrival.request, arrival.attempt]
            until_s = min(row["value"] + (timeout_s or 99), first_due[arrival.request] + (deadline_s or 99))
            assert float(arrival.headers["workbook-deadline"]) == pytest.approx(until_s - row["t"], abs=1e-5)
        assert {a.attempt for a in found} == {1, 2}

    @pytest.mark.parametrize("retry", [{}, {"timeout_s": 0.5, "propagate_deadline": False}])
    async def test_is_not_said(self, bench: Bench, socket_path: Path, retry: dict[str, Any]) -> None:
        """Who has no bound, or keeps it to himself, says nothing."""
        found = await arrivals(bench, socket_path, scenario(**retry))
        assert not any("workbook-deadline" in a.headers for a in found)


class TestPriority:
    async def test_of_urgent_requests(self, bench: Bench, socket_path: Path) -> None:
        """Every attempt of an urgent request says so, and no other."""
        plan = scenario(urgent_share=0.3)
        urgent = {r.request for r in Tape(plan) if r.urgent}
        found = await arrivals(bench, socket_path, plan)
        assert {a.request for a in found if a.headers.get("priority") == "u=1"} == urgent
        assert 0 < len(urgent) < len({a.request for a in found})


class TestIdempotencyKey:
    async def test_is_the_request(self, bench: Bench, socket_path: Path) -> None:
        """All attempts of a request carry the same key, and no two requests do."""
        found = await arrivals(bench, socket_path, scenario(idempotency_key=True))
        keys = {(a.request, a.headers["idempotency-key"]) for a in found}
        assert len(keys) == len({key for _, key in keys}) == len({a.request for a in found}) == len(found) / 2

    async def test_is_not_sent_unless_asked_for(self, bench: Bench, socket_path: Path) -> None:
        """Without the setting each attempt is work of its own."""
        assert not any("idempotency-key" in a.headers for a in await arrivals(bench, socket_path, scenario()))
