"""The servers that all tests of brokers share, each started when it is first asked for."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from demo_workers.brokers import Broker, Settings, broker_class, open_broker
from demo_workers.errors import RabbitMQUnavailable
from demo_workers.services.servers.rabbitmq_server import RabbitMQServer
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from demo_workers.services.servers.sqs_server import SqsServer

START_S = 60.0


def quick(kind: str) -> Settings:
    """Settings with which little is waited for; SQS counts whole seconds."""
    return Settings(visibility_s=1.0 if kind.startswith("sqs") else 0.4, max_deliveries=2)


class Place:
    """Servers on an event loop of their own, so that plain tests may block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._addresses: dict[str, dict[str, str]] = {}
        self._stops: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def address(self, kind: str) -> dict[str, str]:
        """Of the server that this kind of broker is on."""
        family = kind.split("_")[0]
        if family not in self._addresses:
            self._addresses[family] = self.wait_for(getattr(self, f"_start_{family}")())
        return self._addresses[family]

    def wait_for(self, what: Coroutine[Any, Any, Any]) -> Any:
        """The outcome of a coroutine on the servers' loop."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(START_S)

    @contextmanager
    def broker(self, kind: str, settings: Settings | None = None, queue: str = "") -> Iterator[Broker]:
        """A broker on a queue that is new unless named, deleted afterwards."""
        broker = open_broker(kind, self.address(kind), queue or f"t-{secrets.token_hex(6)}", settings or quick(kind))
        with broker:
            try:
                yield broker
            finally:
                broker.delete()

    @contextmanager
    def another(self, broker: Broker) -> Iterator[Broker]:
        """A second connection to the same queue."""
        with broker_class(broker.kind)(broker.address, broker.queue, broker.settings) as other:
            yield other

    def stop(self) -> None:
        """End all servers."""
        for stop in self._stops:
            self.wait_for(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start_redis(self) -> dict[str, str]:
        server = RedisServer(make_runtime_directory(), environ={"PATH": ""})
        return await self._started(server)

    async def _start_rabbitmq(self) -> dict[str, str]:
        server = RabbitMQServer(make_runtime_directory(), environ={"PATH": os.environ["PATH"]})
        try:
            return await self._started(server)
        except RabbitMQUnavailable as error:
            pytest.skip(str(error))

    async def _start_sqs(self) -> dict[str, str]:
        return await self._started(SqsServer(make_runtime_directory()))

    async def _started(self, server: RedisServer | RabbitMQServer | SqsServer) -> dict[str, str]:
        self._stops.append(server.stop)
        await server.start()
        return server.address
