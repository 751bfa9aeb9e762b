"""The protocol that all brokers share: publish, receive, ack, nack, depth, close.

The calls block. Who receives is a process of its own, so that it can be killed, and there a plain loop says most with
the least: receive, work, ack. A cell that must not wait calls ``await asyncio.to_thread(broker.receive, 2.0)``. A
broker is one connection and is used by one thread at a time.

What a broker cannot do is no secret and no surprise: it is in its ``guarantees``, and the tests hold it to them.
"""

from __future__ import annotations

import abc
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Self

from demo_workers.errors import BrokerError, ScenarioError
from demo_workers.fields import Section, integer, number

LONGEST_WAIT_S = 60.0
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""SQS is the strictest: 80 characters, of which some are for our endings."""
BODY_MAX = 256 * 1024
"""Bytes of a message's JSON. Large things belong into a store, and their address into the message."""


@dataclass(frozen=True, kw_only=True)
class Guarantees:
    """What a broker promises, and so what it does not.

    Attributes:
        delivery: ``at_most_once``: a message may be lost with its consumer. ``at_least_once``: it may come again.
        redelivers: when a message that was received and not acknowledged comes again: ``never``, ``after_timeout``
            (``Settings.visibility_s``), or ``on_disconnect``.
        keeps: whether what is published while nobody listens waits.
        fan_out: whether each listener gets every message; otherwise one of them does.
        order: ``published``: first in, first out, for one consumer that gives nothing back. ``group``: that within each
            group, whatever the number of consumers. ``none``: only mostly.
        takes_back: whether ``nack`` makes a message available again at once.
        counts_deliveries: whether ``Message.deliveries`` is known.
        dead_letters: whether a message is put aside after ``Settings.max_deliveries``.
        deduplicates: whether a message published twice under the same ``id`` counts once.
        stored: what an answered ``publish`` means: ``nowhere``, ``as_the_server_is_set``, ``when_confirmed``, or
            ``by_the_provider``.
        body_max: bytes of a body.
    """

    delivery: Literal["at_most_once", "at_least_once"]
    redelivers: Literal["never", "after_timeout", "on_disconnect"]
    stored: Literal["nowhere", "as_the_server_is_set", "when_confirmed", "by_the_provider"]
    keeps: bool = True
    fan_out: bool = False
    order: Literal["published", "group", "none"] = "published"
    takes_back: bool = True
    counts_deliveries: bool = False
    dead_letters: bool = False
    deduplicates: bool = False
    body_max: int = BODY_MAX


@dataclass(frozen=True, kw_only=True)
class Settings(Section):
    """How to use a broker; each takes what it has a use for.

    Attributes:
        visibility_s: how long a received message is its consumer's, where it comes again ``after_timeout``.
        max_deliveries: how often a message is delivered before it is put aside, where there are dead letters.
        prefetch: RabbitMQ: how many unacknowledged messages it hands to one consumer.
        confirms: RabbitMQ: whether ``publish`` waits until the broker has taken charge.
    """

    _name = "settings"

    visibility_s: float = number(30.0, 0.0, 43_200.0, "Choose up to twelve hours.", above=True)
    max_deliveries: int = integer(3, 1, 1000, "Choose a number of deliveries.")
    prefetch: int = integer(1, 1, 10_000, "Choose how many messages one consumer may hold.")
    confirms: bool = True


class Depth(NamedTuple):
    """How many messages a broker has; ``None`` where it does not say, which every broker does in its own way."""

    waiting: int
    held: int | None
    dead: int | None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One delivery of a message.

    Attributes:
        data: the body as it came.
        deliveries: the how-manieth delivery this is, from 1; None where the broker does not count.
        receipt: the broker's own handle for ``ack`` and ``nack``.
    """

    data: bytes
    deliveries: int | None = None
    receipt: Any = field(default=None, repr=False)

    @property
    def body(self) -> Any:
        """The body.

        Raises:
            BrokerError: it is no JSON; whoever receives decides what becomes of it.
        """
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError) as error:
            remedy = "Leave it to the dead letters, or ack it."
            raise BrokerError(f"body = {self.data[:80]!r}: must be JSON ({error}). {remedy}") from error


class Broker(abc.ABC):
    """One queue on one broker. Connects when it is first used; ``close`` may be called twice.

    Args:
        address: how to reach the broker; the same mapping for each broker of one server.
        queue: letters, digits, ``_`` and ``-``.
        settings: how to use it.

    Raises:
        ScenarioError: a queue's name that not every broker takes.
    """

    kind: ClassVar[str]
    guarantees: ClassVar[Guarantees]

    def __init__(self, address: Mapping[str, str], queue: str, settings: Settings | None = None) -> None:
        if not QUEUE_NAME.fullmatch(queue):
            bound = "1 to 64 letters, digits, _ and -"
            raise ScenarioError("queue", queue, bound, "Choose another name.")
        self.address, self.queue, self.settings = dict(address), queue, settings or Settings()

    def publish(self, body: Any, *, group: str = "", id: str = "") -> None:
        """Hand over a message; what its return means is in ``guarantees.stored``.

        Args:
            body: what JSON can say.
            group: what it is about, where the broker keeps the order of each group.
            id: its name, where the broker knows one that was published twice.

        Raises:
            ScenarioError: the body is no JSON or too large.
            BrokerError: the broker did not answer: the message may be there or not.
        """
        data = self._encoded(body)
        with self._asking("publish"):
            self._publish(data, group, id)

    def receive(self, wait_s: float = 0.0) -> Message | None:
        """The next message, or None when none came within ``wait_s``.

        Raises:
            ScenarioError: a wait of more than a minute.
            BrokerError: the broker does not answer.
        """
        if not 0.0 <= wait_s <= LONGEST_WAIT_S:
            raise ScenarioError("wait_s", wait_s, f"between 0 and {LONGEST_WAIT_S:g}", "Wait again instead.")
        with self._asking("receive"):
            return self._receive(wait_s)

    def ack(self, message: Message) -> None:
        """Say that the work is done: the broker forgets the message.

        Raises:
            BrokerError: the broker does not answer, so the message may come again.
        """
        with self._asking("ack"):
            self._ack(message)

    def nack(self, message: Message) -> None:
        """Give a message back, so that it is delivered again at once, or put aside when that was its last time.

        Raises:
            BrokerError: the broker does not answer, or takes nothing back (``guarantees.takes_back``).
        """
        if not self.guarantees.takes_back:
            why = "nothing holds a message that was delivered. Choose a broker that does, or publish it again."
            raise BrokerError(f"{self.kind}.nack: cannot give back, because {why}")
        with self._asking("nack"):
            self._nack(message)

    def depth(self) -> Depth:
        """How many messages wait, are held by consumers, and are put aside.

        Raises:
            BrokerError: the broker does not answer.
        """
        with self._asking("depth"):
            return self._depth()

    def delete(self) -> None:
        """Remove the queue and all that is in it, dead letters too: for tidying up.

        Raises:
            BrokerError: the broker does not answer.
        """
        with self._asking("delete"):
            self._delete()

    @abc.abstractmethod
    def close(self) -> None:
        """Hang up. What is received and not acknowledged stays with the broker, as after a crash."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _encoded(self, body: Any) -> bytes:
        try:
            # ASCII, since SQS refuses some characters that JSON allows
            data = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as error:
            remedy = "Use text, numbers, lists and mappings."
            raise ScenarioError("body", repr(body)[:80], f"what JSON can say ({error})", remedy) from error
        if len(data) > self.guarantees.body_max:
            bound = f"at most {self.guarantees.body_max} bytes of JSON"
            raise ScenarioError("body", len(data), bound, "Store it elsewhere and send its address.")
        return data

    @contextmanager
    def _asking(self, verb: str) -> Iterator[None]:
        """Every client has errors of its own; a consumer has to know one."""
        try:
            yield
        except self._errors() as error:
            why = str(error) or type(error).__name__
            remedy = "It may have been done or not: only asking again on a new connection tells."
            raise BrokerError(f"{self.kind}.{verb} on {self.queue!r}: must be answered ({why}). {remedy}") from error

    @abc.abstractmethod
    def _errors(self) -> tuple[type[Exception], ...]:
        """What the client library raises when the broker has gone or refuses."""

    @abc.abstractmethod
    def _publish(self, data: bytes, group: str, id: str) -> None: ...

    @abc.abstractmethod
    def _receive(self, wait_s: float) -> Message | None: ...

    @abc.abstractmethod
    def _ack(self, message: Message) -> None: ...

    @abc.abstractmethod
    def _nack(self, message: Message) -> None: ...

    @abc.abstractmethod
    def _depth(self) -> Depth: ...

    @abc.abstractmethod
    def _delete(self) -> None: ...


def steps(wait_s: float, step_s: float) -> Iterator[float]:
    """Waits of at most ``step_s`` that are ``wait_s`` together; at least one, which may be of no length."""
    deadline = time.monotonic() + wait_s
    yield min(wait_s, step_s)
    while (left := deadline - time.monotonic()) > 0:
        yield min(left, step_s)
