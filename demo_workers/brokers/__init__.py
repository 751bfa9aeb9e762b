"""One protocol over several message brokers (chapter 01): who holds the message, and what when somebody dies?

``open_broker("redis_list", address, "posts")`` gives a ``Broker``; ``guarantees("redis_list")`` what it promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from demo_workers.brokers.protocol import Broker, Depth, Guarantees, Message, Settings
from demo_workers.errors import ScenarioError

__all__ = ["KINDS", "Broker", "Depth", "Guarantees", "Message", "Settings", "broker_class", "guarantees", "open_broker"]

KINDS: Mapping[str, str] = {
    "redis_list": "redis_list:RedisList",
    "redis_safe_list": "redis_safe_list:RedisSafeList",
    "redis_stream": "redis_stream:RedisStream",
    "redis_pubsub": "redis_pubsub:RedisPubSub",
    "rabbitmq": "rabbitmq:RabbitMQ",
    "rabbitmq_classic": "rabbitmq:RabbitMQClassic",
    "sqs": "sqs:Sqs",
    "sqs_fifo": "sqs:SqsFifo",
}
"""Every kind of broker and where it is. A client library is imported by who uses it: they take time."""


def broker_class(kind: str) -> type[Broker]:
    """The class of this name.

    Raises:
        ScenarioError: there is none.
    """
    if kind not in KINDS:
        raise ScenarioError("kind", kind, f"one of {', '.join(KINDS)}", "Check the spelling.")
    module, name = KINDS[kind].split(":")
    found: type[Broker] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


def guarantees(kind: str) -> Guarantees:
    """What a broker of this kind promises.

    Raises:
        ScenarioError: there is none.
    """
    return broker_class(kind).guarantees


def open_broker(kind: str, address: Mapping[str, str], queue: str, settings: Settings | None = None) -> Broker:
    """One queue on a broker; it connects when it is first used.

    Args:
        kind: one of ``KINDS``.
        address: of the server: ``RedisServer.address`` and its like.
        queue: its name, the same for all who share it.
        settings: how to use it.

    Raises:
        ScenarioError: there is no such kind, or the queue's name is not one that every broker takes.
    """
    return broker_class(kind)(address, queue, settings)
