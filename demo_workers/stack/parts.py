"""The parts of a stack: started together, ended together, and watched; whoever dies ends the load."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from demo_workers.errors import GatewayUnavailable, LabError, PolicyError, RedisUnavailable
from demo_workers.queueing import dead_workers
from demo_workers.queueing.connection import connect_async
from demo_workers.records.directory import Steer
from demo_workers.scenario import Scenario
from demo_workers.services.children.child import Child
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from demo_workers.stack import custom_policies
from demo_workers.stack.breakable import Breakable
from demo_workers.stack.faults import Faults
from demo_workers.stack.live_run import LiveRun
from demo_workers.stack.workforce import WorkerKind, Workforce

LAB_RESULTS_LIVE_S = 10
"""Under load the clients are told results as they come; Redis need not keep them."""

_running: dict[str, Parts] = {}


class Parts(Breakable):
    """Redis, gateway, workers and clients; made as a ``Stack``, whose arguments these are."""

    def __init__(
        self,
        name: str = "workbook",
        *,
        port: int | None = None,
        queue: str | None = None,
        on_failure: Callable[[LabError], None] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.name = name
        self._port, self._queue_name, self._on_failure = port, queue, on_failure
        self._environ = environ
        self.redis: RedisServer
        self.gateway: Child
        self.clients: Child
        self.workforce: Workforce
        self._runtime: Path | None = None
        self._live: LiveRun | None = None
        self.faults = Faults(self)
        self.broken: LabError | None = None
        self.url = ""
        self.started = False
        self.queue = ""
        self._lock = asyncio.Lock()

    async def start(self, workers: int = 0, kind: WorkerKind = WorkerKind()) -> None:
        """Start all parts; returns when every one of them answers. Does nothing when they already do.

        Args:
            workers: how many.
            kind: of which kind.

        Raises:
            RedisUnavailable, GatewayUnavailable, WorkersNotReady: a part did not start; the others are stopped.
        """
        async with self._lock:
            if self.started and self.broken is None:
                return
            await self._stop()
            if (old := _running.get(self.name)) is not None and old is not self:
                await old.stop()
            _running[self.name] = self
            try:
                await self._start(workers, kind)
            except BaseException:
                await self._stop()
                raise

    async def _start(self, workers: int, kind: WorkerKind) -> None:
        self._runtime = make_runtime_directory()
        self.queue = self._queue_name or f"wb-{secrets.token_hex(4)}"
        self.redis = RedisServer(self._runtime, environ=self._environ, on_exit=self._redis_died)
        await self.redis.start()
        address = self.redis.address
        socket = str(self._runtime / "gateway.sock")
        self._connection = connect_async(address)
        place = {"uds": socket} if self._port is None else {"tcp": {"host": "127.0.0.1", "port": self._port}}
        gateway: dict[str, Any] = {"address": address, "queue": self.queue} | place
        if self._port is None:
            gateway["result_ttl_s"] = LAB_RESULTS_LIVE_S
        self.gateway = self._child("gateway", gateway, on_event=self._heard_gateway)
        self.clients = self._child("clients", {"address": {"uds": socket}}, on_event=self._heard_clients)
        callbacks = self._worker_died, self._fail, self.faults.horse_died
        self.workforce = Workforce(address, self.queue, self._runtime, *callbacks)
        # no clients where the gateway listens for anybody's
        clients = [self.clients.start()] if self._port is None else []
        self.url, *_ = await asyncio.gather(self._start_gateway(), self.workforce.employ(workers, kind), *clients)
        self.broken, self.started = None, True

    async def _start_gateway(self) -> str:
        try:
            return str((await self.gateway.start())["url"])
        except LabError as error:
            raise GatewayUnavailable(str(error)) from error

    async def serve(self, scenario: Scenario) -> str:
        """Start with a scenario's workers and admission but no load; returns the gateway's URL."""
        kind = WorkerKind(scenario.service.worker_class, scenario.service.timings)
        await self.start(scenario.service.workers, kind)
        await self.gateway.call("steer", admission=scenario.to_dict()["admission"])
        return self.url

    @property
    def runtime(self) -> Path:
        """Where sockets and logs are while it runs."""
        assert self._runtime is not None
        return self._runtime

    @property
    def live(self) -> LiveRun | None:
        """The latest load, if there has been one since the start."""
        return self._live

    @property
    def connection(self) -> Any:
        """A Redis client of its own."""
        return self._connection

    async def stop(self) -> None:
        """End everything and remove every trace but the recorded runs; may be called twice and from any state."""
        async with self._lock:
            await self._stop()

    async def _stop(self) -> None:
        live, self._live = self._live, None
        if live is not None and not live.over:
            live.fail(LabError(f"stack {self.name!r} was stopped while a load was running. Start it again."))
            with contextlib.suppress(LabError):
                await live.finished()
        self.started = False
        await self.faults.stop()
        parts = (getattr(self, part, None) for part in ("clients", "gateway", "workforce"))
        await asyncio.gather(*(part.stop() for part in parts if part is not None))
        if connection := getattr(self, "_connection", None):
            await connection.aclose()
        if redis := getattr(self, "redis", None):
            await redis.stop()
        if self._runtime is not None:
            shutil.rmtree(self._runtime, ignore_errors=True)
            self._runtime = None
        if _running.get(self.name) is self:
            del _running[self.name]

    # What the parts tell -----------------------------------------------------------------------------------------

    def _child(self, service: str, config: dict[str, Any], **callbacks: Any) -> Child:
        assert self._runtime is not None
        log = self._runtime / f"{service}.log"
        return Child(service, f"demo_workers.services.{service}", config, log, on_exit=self._child_died, **callbacks)

    def _child_died(self, child: Child) -> None:
        code = child.returncode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._fail(
            custom_policies.stuck(child)
            or GatewayUnavailable(
                f"{child.name} has died ({how}): it must live as long as the load. Press Start to begin a new one. "
                f"{child.log_tail}".strip()
            )
        )

    def _redis_died(self) -> None:
        self._fail(RedisUnavailable(f"{self.redis.name} has died: what waited in it is lost. Press Start again."))

    def _heard_gateway(self, event: dict[str, Any]) -> None:
        self._heard_policy(event)
        if event.get("event") == "redis_lost":
            self._fail(RedisUnavailable(f"the gateway lost {self.redis.name}. Press Start to begin a new load."))

    def _heard_policy(self, event: dict[str, Any]) -> None:
        """A reader's policy made a mistake: that ends the load, and nothing else."""
        if event.get("event") == "policy_mistake" and self._live is not None:
            self._live.fail(PolicyError(event["error"]))

    def _heard_clients(self, event: dict[str, Any]) -> None:
        self._heard_policy(event)
        if self._live is not None:
            self._live.heard(event)

    async def _worker_died(self, name: str) -> None:
        await self.faults.worker_died(name)
        live = self._live if self._live is not None and not self._live.over else None
        if live is not None:
            live.log(Steer(live.now(), "worker_died", name))
        living = self.workforce.everyone
        with self.redis.expected_to_answer():
            found = await dead_workers.settle(self._connection, self.queue, name, live_workers=living)
        if live is not None and found:
            jobs = [[job_id, where] for job_id, where in found]
            with contextlib.suppress(LabError):
                await self.gateway.call("settled", jobs=jobs)

    def _fail(self, error: LabError) -> None:
        if self.broken is None:
            self.broken = error
            if self._on_failure is not None:
                self._on_failure(error)
        if self._live is not None:
            self._live.fail(error)
