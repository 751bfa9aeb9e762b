"""A consumer that can be killed: receives, works, acknowledges, and notes each step in a file.

``python -m demo_workers.brokers.consumer``, configured over its pipe; see ``consumer``. A note is one write to a file
that survives SIGKILL, so the file says what was really done, whatever the broker believes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import msgspec

from demo_workers.brokers import Broker, Message, Settings, open_broker
from demo_workers.brokers.likes import Effect, have, place
from demo_workers.errors import BrokerError
from demo_workers.services.children import control
from demo_workers.services.children.child import Child

Ack = Literal["before", "after", "never"]
Step = Literal["took", "effect", "acked"]
WAIT_S = 0.2
LONGEST_WORK_S = 60.0


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """What to consume, how long the work takes, when to acknowledge, and where to note it."""

    kind: str
    address: dict[str, str]
    queue: str
    notes: str
    settings: dict[str, Any]
    work_s: float = 0.0
    ack: Ack = "after"
    pause_s: float = 0.0
    effect: Effect = "none"
    likes: str = ""


class Note(msgspec.Struct, frozen=True):
    """One step of a consumer: ``took`` a message, had its ``effect``, ``acked`` it.

    Attributes:
        at_s: on the machine's monotonic clock.
        pid: which consumer.
        step: what it did.
        body: of the message.
        deliveries: the broker's count, or None.
    """

    at_s: float
    pid: int
    step: Step
    body: Any
    deliveries: int | None = None


def consumer(
    kind: str,
    address: Mapping[str, str],
    queue: str,
    directory: Path,
    *,
    settings: Settings | None = None,
    work_s: float = 0.0,
    ack: Ack = "after",
    pause_s: float = 0.0,
    effect: Effect = "none",
    name: str = "consumer",
) -> Child:
    """A consumer that is not yet started. Its notes go to ``notes`` in the directory, which many may share.

    Args:
        kind: of the broker.
        address: of the broker's server.
        queue: what to consume.
        directory: where its notes and its log go.
        settings: how to use the broker.
        work_s: how long the work on one message takes.
        ack: ``before`` the work, ``after`` its effect, or ``never``.
        pause_s: how long it takes its time between the effect and an acknowledgement after it.
        effect: what its work does to the likes in the directory, beside its note; see ``likes.EFFECTS``.
        name: for people.
    """
    config = {
        "kind": kind, "address": dict(address), "queue": queue, "settings": asdict(settings or Settings()),
        "notes": str(directory / "notes"), "work_s": work_s, "ack": ack, "pause_s": pause_s, "effect": effect,
        "likes": str(place(directory)),
    }  # fmt: skip
    return Child(name, "demo_workers.brokers.consumer", config, directory / f"{name}.log")


def read_notes(directory: Path) -> list[Note]:
    """What the consumers of this directory have noted so far, in the order in which it was written."""
    path = directory / "notes"
    *lines, _torn = path.read_bytes().split(b"\n") if path.exists() else [b""]
    return [msgspec.json.decode(line, type=Note) for line in lines]


def consume(broker: Broker, config: Config, notes: int) -> None:
    """Receive, work, acknowledge, until the process ends; it is ready once it listens."""
    message = broker.receive(0.0)
    control.emit("ready")
    while True:
        if message is not None:
            _handle(broker, message, config, notes)
        message = broker.receive(WAIT_S)


def _handle(broker: Broker, message: Message, config: Config, notes: int) -> None:
    def note(step: Step) -> None:
        line = Note(at_s=time.monotonic(), pid=os.getpid(), step=step, body=body, deliveries=message.deliveries)
        os.write(notes, msgspec.json.encode(line) + b"\n")

    def ack() -> None:
        broker.ack(message)
        note("acked")

    body = message.body
    note("took")
    if config.ack == "before":
        ack()
    time.sleep(min(config.work_s, LONGEST_WORK_S))
    have(config.effect, Path(config.likes), body)
    note("effect")
    if config.ack == "after":
        time.sleep(min(config.pause_s, LONGEST_WORK_S))
        ack()


def main() -> None:
    """Read the configuration and consume until the owner has gone, or the broker has."""
    config = msgspec.convert(control.read_config(), Config)
    notes = os.open(config.notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    broker = open_broker(config.kind, config.address, config.queue, Settings(**config.settings))
    control.watch_stdin()
    try:
        consume(broker, config, notes)
    except BrokerError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
