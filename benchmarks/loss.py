"""What is lost and what comes twice when somebody dies at a random moment?

``python -m benchmarks.loss`` counts, for each broker and setting, what producers were told is safe and what was found
after the fault; a round is one fault. Redis: SIGKILL of the server and a power cut, for each kind of persistence.
RabbitMQ: SIGKILL of the node, without and with publisher confirms. Every broker: SIGKILL of its consumers in the middle
of their work. SQS (a local server that behaves like it): consumers that are slower than the visibility time-out.

Where confirms or ``fsync`` promise it, nothing acknowledged may be lost, in any round. ``--record`` writes the table to
the file that is shown where RabbitMQ or a kernel that knows what is on disk is missing. ``--only redis`` is a part.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import random
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import msgspec

from benchmarks._bar import Figure, main, say
from demo_workers.brokers import KINDS, guarantees
from demo_workers.brokers.consumer_trials import consumer_kills, visibility_expiries
from demo_workers.brokers.losses import Fault, Loss, Recording, Row
from demo_workers.brokers.server_trials import NODE_ROWS, NodeTrials, redis_trial
from demo_workers.errors import LabError, RabbitMQUnavailable
from demo_workers.services.servers.persistence import SETTINGS, Persistence
from demo_workers.services.servers.rabbitmq_server import RabbitMQServer
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from demo_workers.services.servers.sqs_server import SqsServer
from lessons.check.bars import machine

PARTS = ("redis", "rabbitmq", "consumers")
DURABLE: dict[Fault, Sequence[Persistence]] = {
    "server killed": ("aof_no", "aof_everysec", "aof_always"),  # the kernel still has what was written
    "power cut": ("aof_always",),
}
SERVERS = {"redis": RedisServer, "rabbitmq": RabbitMQServer, "sqs": SqsServer}
NONE = Loss.of((), (), kills=0)


class Bench:
    """The table while it is made."""

    def __init__(self, kills: int, seed: int) -> None:
        self._kills, self._dice = kills, random.Random(seed)
        self.rows: list[Row] = []
        self.versions: dict[str, str] = {}

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        say(str(row))

    async def redis(self) -> None:
        """The server dies, or loses its power."""
        faults: tuple[Fault, ...] = ("server killed", "power cut")
        for fault in faults:
            for setting in SETTINGS:
                loss = NONE
                for _ in range(self._kills):
                    one, method = await redis_trial(setting, self._dice, power=fault == "power cut")
                    loss += one
                promised = setting in DURABLE[fault]
                self._add(
                    Row(broker="redis_list", fault=fault, setting=setting, promised=promised, loss=loss, method=method)
                )

    async def rabbitmq(self) -> None:
        """The node dies; without RabbitMQ the rows are missing, and a line says so."""
        trials = NodeTrials()
        try:
            await trials.start()
        except RabbitMQUnavailable as error:
            say(f"no RabbitMQ rows: {error}")
            return
        try:
            losses = dict.fromkeys(NODE_ROWS, NONE)
            for _ in range(self._kills):
                for setting, one in (await trials.kill(self._dice)).items():
                    losses[setting] += one
        finally:
            await trials.stop()
        for setting, (kind, confirms) in NODE_ROWS.items():
            row = Row(broker=kind, fault="node killed", setting=setting, promised=confirms, loss=losses[setting])
            self._add(row)

    async def consumers(self) -> None:
        """Consumers die, or are slow."""
        for family in SERVERS:
            with contextlib.suppress(RabbitMQUnavailable):
                async with _running(family) as server:
                    self.versions[family] = server.name
                    for kind in (kind for kind in KINDS if kind.split("_")[0] == family):
                        promised = guarantees(kind).delivery == "at_least_once"
                        loss = await consumer_kills(kind, server.address, self._kills, self._dice)
                        self._consumer_row(kind, "consumer killed", promised, loss)
                    if family == "sqs":
                        loss = await visibility_expiries("sqs", server.address, self._kills)
                        self._consumer_row("sqs", "visibility expired", True, loss)

    def _consumer_row(self, kind: str, fault: Fault, promised: bool, loss: Loss) -> None:
        setting = guarantees(kind).delivery.replace("_", " ")
        self._add(Row(broker=kind, fault=fault, setting=setting, promised=promised, loss=loss))


@asynccontextmanager
async def _running(family: str) -> AsyncIterator[RedisServer | RabbitMQServer | SqsServer]:
    runtime = make_runtime_directory()
    server: RedisServer | RabbitMQServer | SqsServer = SERVERS[family](runtime)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(runtime, ignore_errors=True)


async def measure(options: argparse.Namespace) -> list[Figure]:
    """The parts that were asked for."""
    if options.record and options.only:
        raise LabError(f"--only = {options.only}: must be left out with --record: it keeps whole tables.")
    seed = random.randrange(10**6) if options.seed is None else options.seed
    say(f"seed {seed}")
    bench = Bench(options.rounds, seed)
    for part in PARTS if options.only is None else (options.only,):
        await getattr(bench, part)()
    if options.record:
        _record(bench)
    return [_figure(row) for row in bench.rows]


def _record(bench: Bench) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    recording = Recording(date=today, machine=machine(), versions=bench.versions, rows=bench.rows)
    path = Path(str(files("demo_workers.brokers").joinpath("losses.json")))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n")
    say(f"recorded in {path.name}")


def _figure(row: Row) -> Figure:
    """All faults of a row together: what is promised holds in each, or not at all."""
    loss = row.loss
    if not loss.acknowledged:
        raise LabError(
            f"{row}: at least one message must be acknowledged to be at stake. Let the producers live longer."
        )
    name, told = f"lost: {row.broker}, {row.setting}, {row.fault}", f"{loss.acknowledged:,} acknowledged"
    figure = Figure.of(name, [loss.lost], unit="messages", against=told, at_most=0 if row.promised else None)
    return msgspec.structs.replace(figure, least=0, most=loss.worst, rounds=loss.kills)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark can be asked."""
    parser.add_argument("--only", choices=PARTS, help="one part; all unless given")
    parser.add_argument("--seed", type=int, help="of the moments; random unless given")
    parser.add_argument("--record", action="store_true", help="keep the table for machines that cannot make it")


if __name__ == "__main__":
    sys.exit(main(__doc__, measure, rounds=20, options=add_options))
