from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from demo_workers.records.events import ClientOutcome, Kind, Outcome, Result, read_events
from demo_workers.scenario import Load, Retry, Scenario, Service
from demo_workers.services.children.child import Child
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

from .bench import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

QUEUE = "wb-00c11e75"


class System:
    """Redis, gateway, one worker and clients, all real."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.told: list[str] = []
        self.run = ""

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[System]:
        """Start everything; end it in the opposite order."""
        runtime = make_runtime_directory()
        async with contextlib.AsyncExitStack() as stack:
            redis = RedisServer(runtime)
            await redis.start()
            stack.push_async_callback(redis.stop)
            uds = str(runtime / "gateway.sock")
            queue = {"address": redis.address, "queue": QUEUE}
            worker = {**queue, "number": 0, "timings": "classroom"}
            self.gateway = self._child("gateway", "demo_workers.services.gateway", {**queue, "uds": uds})
            self.clients = self._child("clients", "demo_workers.services.clients", {"address": {"uds": uds}})
            for child in (
                self.gateway,
                self._child("worker", "demo_workers.queueing.worker", worker),
                self.clients,
            ):
                stack.push_async_callback(child.stop)
                await child.start()
            yield self

    async def play(self, scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
        """Play a scenario to its end; returns the clients' and the gateway's own counts."""
        self.run = secrets.token_hex(4)
        self.told.clear()
        common: dict[str, Any] = {"run": self.run, "origin": time.monotonic() + 0.2}
        gateway_events, clients_events = (str(self._events(name)) for name in ("gateway", "clients"))
        admission = scenario.to_dict()["admission"]
        await self.gateway.call("begin", **common, events=gateway_events, admission=admission)
        await self.clients.call("begin", **common, events=clients_events, scenario=scenario.to_dict())
        await until(lambda: "load_over" in self.told, 60)
        counts = await self.clients.call("end")
        await self._drained(time.monotonic() + 30)
        return counts, await self.gateway.call("end")

    def rows(self, name: str, kind: Kind) -> Any:
        """The rows of one kind in one of the two records."""
        events, torn = read_events(self._events(name))
        assert torn == 0
        return events[events["kind"] == kind]

    def _events(self, name: str) -> Path:
        return self.directory / f"{self.run}-{name}.events"

    async def _drained(self, end: float) -> None:
        while True:
            left = await self.gateway.call("outstanding")
            if left["waiting"] == left["running"] == 0:
                return
            assert time.monotonic() < end, left
            await asyncio.sleep(0.02)

    def _child(self, name: str, module: str, config: dict[str, Any]) -> Child:
        log = self.directory / f"{name}.log"
        return Child(name, module, config, log, on_event=lambda message: self.told.append(message["event"]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Everything that a client meets."""
    async with System(tmp_path_factory.mktemp("system")).up() as system:
        yield system


def keys(rows: Any) -> list[tuple[int, int]]:
    """(request, attempt) of each row, sorted."""
    return sorted(zip(rows["request"].tolist(), rows["attempt"].tolist(), strict=True))


async def test_refusals(system: System) -> None:
    """Under back pressure the two records have the same attempts, and both sides count the same refusals."""
    plan = Scenario(
        load=Load(arrival_rate=100, duration_s=0.5),
        service=Service(service_time_s=0.02, workers=1),
        retry=Retry(policy="full", attempts=3, base_s=0.05),
    ).replace("admission.limit", 4)
    counts, gateway = await system.play(plan)
    sent, ended, decided = (
        system.rows("clients", Kind.SENT),
        system.rows("clients", Kind.ANSWERED),
        system.rows("gateway", Kind.DECIDED),
    )
    assert keys(sent) == keys(ended) == keys(decided)
    assert counts["refused"] == (decided["code"] == Outcome.SHED).sum() > 0
    assert counts["succeeded"] == (decided["code"] == Outcome.ADMITTED).sum() > 0
    assert counts["attempts"] == counts["refused"] + counts["succeeded"]
    assert gateway["shed"] == counts["refused"]
    # a client that honours Retry-After comes back no earlier than it was told
    refused = ended[(ended["code"] == ClientOutcome.REFUSED) & (ended["attempt"] < 3)]
    assert (refused["value"] > 0).all()


async def test_time_outs(system: System) -> None:
    """A client that hangs up leaves its job behind: it is executed, and nobody is there to hear of it."""
    plan = Scenario(
        load=Load(arrival_rate=40, duration_s=0.2),
        service=Service(service_time_s=0.05, distribution="deterministic", workers=1),
        retry=Retry(attempts=2, timeout_s=0.08, after_timeout="at_once"),
    )
    counts, _ = await system.play(plan)
    finished = system.rows("gateway", Kind.ENDED)
    assert keys(system.rows("clients", Kind.SENT)) == keys(system.rows("gateway", Kind.DECIDED))
    assert counts["timed_out"] > 0
    assert (finished["code"] == Result.OK).sum() == counts["attempts"] > counts["succeeded"]


async def test_keys(system: System) -> None:
    """With an idempotency key an impatient client's next attempt joins its first one's job: one request, one job."""
    plan = Scenario(
        load=Load(arrival_rate=40, duration_s=0.2, urgent_share=0.5),
        service=Service(service_time_s=0.05, distribution="deterministic", workers=1),
        retry=Retry(attempts=100, timeout_s=0.08, after_timeout="at_once", idempotency_key=True),
    )
    counts, _ = await system.play(plan)
    decided, finished = system.rows("gateway", Kind.DECIDED), system.rows("gateway", Kind.ENDED)
    assert keys(system.rows("clients", Kind.SENT)) == keys(decided)
    assert (decided["code"] == Outcome.DUPLICATE).sum() == counts["timed_out"] > 0
    assert (finished["code"] == Result.OK).sum() == counts["succeeded"] == counts["requests"]
