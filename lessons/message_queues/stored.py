"""Section d: 500 publishes were acknowledged, then the server died. What is there when it comes back?

One death answers twice: what the disk has at that moment is what a power cut leaves, and what the operating system has
in its memory as well is what the death of the process alone leaves. A new server is started on each.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from demo_workers.brokers import open_broker
from demo_workers.brokers.losses import Loss, Recording, recorded
from demo_workers.brokers.producers import drained
from demo_workers.services.faults.power_cut import cut_power, on_disk
from demo_workers.services.servers.persistence import Persistence
from demo_workers.services.servers.redis_server import RedisServer
from lessons.check.claims import Claim, check
from lessons.message_queues.lesson import Lesson
from lessons.private_server import private_server

BUNDLED: Mapping[str, str] = {"PATH": ""}
"""The server that was recorded too, whatever the reader has installed."""

PUBLISHES = 500
QUEUE = "stored"
SETTINGS: tuple[Persistence, ...] = ("none", "aof_no", "aof_everysec", "aof_always")
"""What is measured here. Snapshots are in the recording: what they lose depends on the moment alone."""

WORDS = {
    "none": "nothing is kept",
    "rdb": "a snapshot now and then",
    "aof_no": "a log, written through when the system likes",
    "aof_everysec": "a log, written through once a second",
    "aof_always": "a log, written through before each answer",
}
METHODS = {
    "cachestat": "measured: the kernel said which pages were on the disk",
    "timestamps": "modelled: this system does not say what is on its disk",
}


class Stored(NamedTuple):
    """One server with one setting.

    Attributes:
        setting: its persistence.
        rate: acknowledged publishes per second of one producer.
        killed: the books after the death of its process.
        power: those after a power cut at the same moment.
        method: how the power cut was found out.
    """

    setting: Persistence
    rate: float
    killed: Loss
    power: Loss
    method: str


async def lose_servers(lesson: Lesson) -> list[Stored]:
    """For each setting: publish, cut the power, and see what either death leaves. Servers of this cell's own."""
    await lesson.address()
    return [await _lose(setting) for setting in SETTINGS]


async def _lose(setting: Persistence) -> Stored:
    with tempfile.TemporaryDirectory(prefix="wb-stored-", dir=on_disk()) as directory:
        disk = Path(directory)
        async with private_server(setting, environ=BUNDLED) as server:
            rate = await asyncio.to_thread(_publish, server)
            method = (await cut_power(server, disk)).method
            kept = setting != "none"
            places = (server.data, disk) if kept else (None, None)
            killed, power = await asyncio.gather(*(_books(setting, place) for place in places))
        return Stored(setting, rate, killed, power, method)


def _publish(server: RedisServer) -> float:
    with open_broker("redis_list", server.address, QUEUE) as broker:
        began = time.monotonic()
        for number in range(PUBLISHES):
            broker.publish(number)
        return PUBLISHES / (time.monotonic() - began)


async def _books(setting: Persistence, files: Path | None) -> Loss:
    async with private_server(setting, restore=files, environ=BUNDLED) as heir:
        found = await asyncio.to_thread(drained, open_broker("redis_list", heir.address, QUEUE), 0.0)
        return Loss.of(range(PUBLISHES), found)


def show_stored(stored: Sequence[Stored]) -> None:
    """A row per setting: measured here, with throughput, and recorded."""
    record = recorded()
    print(f"{'':<46}{'publishes':>10}   lost of {PUBLISHES}, here   lost, recorded")
    print(f"{'what Redis keeps':<46}{'per second':>10}{'killed':>9}{'power cut':>11}{'killed':>10}{'power cut':>11}")
    here = {one.setting: one for one in stored}
    for setting, words in WORDS.items():
        one = here.get(setting)  # type: ignore[call-overload]  # the words know every setting by its name
        told = f"{one.rate:>10,.0f}{one.killed.lost:>9}{one.power.lost:>11}" if one else f"{'-':>10}{'-':>9}{'-':>11}"
        shares = "".join(f"{_share(record, setting, fault):>{w}}" for fault, w in _FAULTS)
        print(f"{words:<46}{told}{shares}")
    methods = {METHODS[one.method] for one in stored if one.method in METHODS}
    print(f"here: {'; '.join(methods)}; one death per row, one producer")
    deaths = max(row.loss.kills for row in record.rows)
    print(record.label.replace("; ", ";\n  ") + f"; {deaths} deaths per row, four producers")


_FAULTS = (("server killed", 10), ("power cut", 11))


def _share(record: Recording, setting: str, fault: str) -> str:
    for row in record.rows:
        if (row.broker, row.setting, row.fault) == ("redis_list", setting, fault):
            return f"{row.loss.lost / row.loss.acknowledged:.0%}"
    return "-"


def check_stored(stored: Sequence[Stored]) -> None:
    """What section d says.

    Raises:
        ClaimError: it is not so.
    """
    by, numbers = {one.setting: one for one in stored}, repr(list(stored))
    logs = [one for one in stored if one.setting != "none"]
    check(
        Claim("a server that keeps nothing lost everything, either way",
              by["none"].killed.lost == by["none"].power.lost == PUBLISHES, numbers),
        Claim("with any log, the death of the process alone lost nothing", all(one.killed.lost == 0 for one in logs),
              numbers),
        Claim("without writing through, a power cut at the same moment did lose messages",
              by["aof_no"].power.lost > 0, numbers),
        Claim("written through before each answer, nothing was lost, either way",
              by["aof_always"].killed.lost == by["aof_always"].power.lost == 0, numbers),
        Claim("and that was slower than keeping nothing", by["aof_always"].rate < by["none"].rate, numbers),
    )  # fmt: skip


def lost_to_power(stored: Sequence[Stored]) -> str:
    """What the prediction was about, in a phrase."""
    one = next(one for one in stored if one.setting == "aof_everysec")
    return f"no: {one.killed.lost} of {PUBLISHES} after the kill, {one.power.lost} after the power cut"
