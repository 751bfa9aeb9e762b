"""Kills a broker's server while producers publish, starts it again, and counts what is there."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from demo_workers.brokers import Broker, Settings, open_broker
from demo_workers.brokers.losses import Loss
from demo_workers.brokers.producers import Producers, drained
from demo_workers.errors import RabbitMQUnavailable
from demo_workers.services.faults.power_cut import cut_power, on_disk
from demo_workers.services.servers.persistence import Persistence
from demo_workers.services.servers.rabbitmq_server import RabbitMQServer
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory

QUEUE = "loss"
WRITERS = 4
SOONEST_S, LATEST_S = 0.1, 1.5
GONE_S = 5.0
YOUNG_S = 2.0
"""RabbitMQ writes the name of a new queue down half a second late; younger ones are another story."""
RECOVERY_S = 5.0
"""How long a queue may take to find its leader after a restart."""
NODE_ROWS: Mapping[str, tuple[str, bool]] = {
    "unconfirmed": ("rabbitmq_classic", False),
    "confirmed": ("rabbitmq_classic", True),
    "confirmed, quorum": ("rabbitmq", True),
}
"""What is published at the same time, so that all meet the same end: setting → kind of broker, confirms."""


async def redis_trial(persistence: Persistence, dice: random.Random, *, power: bool) -> tuple[Loss, str]:
    """One server's death: SIGKILL, or a power cut.

    Args:
        persistence: what the server keeps on disk.
        dice: for the moment.
        power: whether to cut the power instead of killing the process.

    Returns:
        the books, and how the power cut was found out ("" for a SIGKILL).

    Raises:
        RedisUnavailable: there is no server of our own to be had.
    """
    with tempfile.TemporaryDirectory(prefix="wb-cut-", dir=on_disk()) as left:
        server, method = _redis(persistence), ""
        files = Path(left)
        try:
            await server.start()
            producers = Producers([open_broker("redis_list", server.address, QUEUE) for _ in range(WRITERS)])
            try:
                await asyncio.to_thread(producers.start)
                await asyncio.sleep(dice.uniform(SOONEST_S, LATEST_S))
                if power:
                    method = (await cut_power(server, files)).method
                server.kill()
            finally:
                acknowledged = await asyncio.to_thread(producers.stop)
            async with asyncio.timeout(GONE_S):
                while server.pid is not None:
                    await asyncio.sleep(0.01)
            found = await _found_by_heir(persistence, files if power else server.data)
        finally:
            await server.stop()
        return Loss.of(acknowledged, found), method


def _redis(persistence: Persistence, restore: Path | None = None) -> RedisServer:
    return RedisServer(make_runtime_directory(), environ={"PATH": ""}, persistence=persistence, restore=restore)


async def _found_by_heir(persistence: Persistence, files: Path) -> list[int]:
    # without persistence there is nothing to begin with
    heir = _redis(persistence, restore=None if persistence == "none" else files)
    try:
        await heir.start()
        return await asyncio.to_thread(drained, open_broker("redis_list", heir.address, QUEUE), 0.0)
    finally:
        await heir.stop()


class NodeTrials:
    """A RabbitMQ node that is killed again and again while it is published to in three ways.

    Raises:
        RabbitMQUnavailable: ``start``: there is no node of our own to be had.
    """

    def __init__(self) -> None:
        self._runtime = make_runtime_directory()
        self._first = 0
        self.server = RabbitMQServer(self._runtime)

    async def start(self) -> None:
        """Start the node, make the queues and let them become known to it."""
        try:
            await self.server.start()
            if not self.server.ours:
                raise RabbitMQUnavailable(
                    f"{self.server.name}: must be a node of our own to be killed. Unset AMQP_URL."
                )
            for setting in NODE_ROWS:
                with self._open(setting) as broker:
                    await asyncio.to_thread(broker.depth)
            await asyncio.sleep(YOUNG_S)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the node."""
        await self.server.stop()
        shutil.rmtree(self._runtime, ignore_errors=True)

    async def kill(self, dice: random.Random) -> dict[str, Loss]:
        """One SIGKILL at a random moment; returns the books of each setting."""
        first, self._first = self._first, self._first + 10_000_000  # numbers of this kill alone
        producers = {}
        try:
            for setting in NODE_ROWS:
                producers[setting] = Producers([self._open(setting)], first=first)
                await asyncio.to_thread(producers[setting].start)
            await asyncio.sleep(dice.uniform(SOONEST_S, LATEST_S))
            self.server.kill()
        finally:
            told = {setting: await asyncio.to_thread(one.stop) for setting, one in producers.items()}
        await self.server.start()
        return {setting: Loss.of(told[setting], await self._found(setting)) for setting in told}

    async def _found(self, setting: str) -> list[int]:
        return await asyncio.to_thread(drained, self._open(setting), RECOVERY_S)

    def _open(self, setting: str) -> Broker:
        kind, confirms = NODE_ROWS[setting]
        settings = Settings(confirms=confirms, prefetch=1000, max_deliveries=1000)
        return open_broker(kind, self.server.address, f"{QUEUE}-{setting.replace(', ', '-')}", settings)
