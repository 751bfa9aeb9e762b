"""RabbitMQ: a broker that pushes. Exchange, binding, queue; publisher confirms, prefetch, manual acks, dead letters.

A producer publishes to an *exchange*; a *binding* says which *queue* its messages go to, and a message without one
would vanish, so it is published as ``mandatory``. With *confirms* ``publish`` returns when the broker has taken charge:
for a quorum queue, when it is on disk. Without, it returns when the bytes are in a socket's buffer, which is ten times
as fast and says nothing.

A consumer is handed up to ``prefetch`` messages ahead and acknowledges each by hand. When its connection breaks, all it
holds goes back at once: no time-out is needed, and none helps with a consumer that lives and is stuck (RabbitMQ closes
its channel after half an hour). A quorum queue counts deliveries, also those of messages that were only handed ahead;
after ``max_deliveries`` the message goes through the dead-letter exchange. A *classic* queue has one copy, counts
nothing, and does not know which message is poison.
"""

from __future__ import annotations

import contextlib
import logging
from functools import cached_property
from typing import Any

import pika
from pika.exceptions import AMQPError

from demo_workers.brokers.protocol import Broker, Depth, Guarantees, Message

# what it would print into a notebook is what our errors say, several times over
logging.getLogger("pika").setLevel(logging.CRITICAL)

PERSISTENT = 2
"""Delivery mode of a message that is written to disk. Source: AMQP 0-9-1, basic.delivery-mode."""
BLOCKED_S = 10.0
"""A node short of memory or disk blocks publishers; after so long ``publish`` says so."""
PUSH_S = 0.1
"""Even who does not want to wait gives a pushed message the time of a round trip."""


class RabbitMQ(Broker):
    """A quorum queue behind a direct exchange. Its address is ``{"url": "amqp://..."}``."""

    kind = "rabbitmq"
    guarantees = Guarantees(
        delivery="at_least_once",
        redelivers="on_disconnect",
        stored="when_confirmed",
        counts_deliveries=True,
        dead_letters=True,
    )

    def close(self) -> None:
        """Hang up; what is held goes back to the queue."""
        connection = self.__dict__.get("_connection")
        for name in ("_publisher", "_consumer", "_connection"):
            self.__dict__.pop(name, None)
        if connection is not None and connection.is_open:
            with contextlib.suppress(AMQPError, OSError):
                connection.close()

    @cached_property
    def _connection(self) -> Any:
        parameters = pika.URLParameters(self.address["url"])
        # nobody answers heartbeats between two calls, and a reader's pause may be long
        parameters.heartbeat = 0
        parameters.blocked_connection_timeout = BLOCKED_S
        connection = pika.BlockingConnection(parameters)
        self._declare(connection)
        return connection

    @cached_property
    def _publisher(self) -> Any:
        channel = self._connection.channel()
        if self.settings.confirms:
            channel.confirm_delivery()
        return channel

    @cached_property
    def _consumer(self) -> Any:
        channel = self._connection.channel()
        channel.basic_qos(prefetch_count=self.settings.prefetch)
        return channel

    @property
    def _name(self) -> str:
        return f"workbook.{self.queue}"

    def _declare(self, connection: Any) -> None:
        """Make what is not there yet; declaring twice is harmless, unless it is declared otherwise."""
        channel = connection.channel()
        for name, arguments in self._queues().items():
            channel.exchange_declare(name, "direct", durable=True)
            channel.queue_declare(name, durable=True, arguments=arguments)
            channel.queue_bind(name, exchange=name, routing_key="")
        channel.close()

    def _queues(self) -> dict[str, dict[str, Any]]:
        """Each queue with what it is to be, dead letters first; each has an exchange of its name."""
        dead = f"{self._name}.dead"
        living = {
            "x-queue-type": "quorum",
            "x-delivery-limit": self.settings.max_deliveries - 1,  # counts those after the first
            "x-dead-letter-exchange": dead,
            "x-dead-letter-routing-key": "",
            # kept until the queue of dead letters has confirmed them; which needs the other line
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        return {dead: {"x-queue-type": "quorum"}, self._name: living}

    def _publish(self, data: bytes, group: str, id: str) -> None:
        properties = pika.BasicProperties(
            content_type="application/json", delivery_mode=PERSISTENT, message_id=id or None
        )
        self._publisher.basic_publish(self._name, "", data, properties, mandatory=True)

    def _receive(self, wait_s: float) -> Message | None:
        method, properties, data = next(self._consumer.consume(self._name, inactivity_timeout=max(wait_s, PUSH_S)))
        if method is None:
            return None
        return Message(data=data, deliveries=self._deliveries(properties), receipt=method.delivery_tag)

    def _deliveries(self, properties: Any) -> int | None:
        return int((properties.headers or {}).get("x-delivery-count", 0)) + 1

    def _ack(self, message: Message) -> None:
        self._consumer.basic_ack(message.receipt)

    def _nack(self, message: Message) -> None:
        self._consumer.basic_nack(message.receipt, requeue=True)

    def _depth(self) -> Depth:
        channel = self._connection.channel()
        *dead, waiting = (channel.queue_declare(name, passive=True).method.message_count for name in self._queues())
        channel.close()
        return Depth(waiting, None, dead[0] if dead else None)  # what consumers hold is not told to clients

    def _delete(self) -> None:
        if "_consumer" in self.__dict__:
            self._consumer.cancel()
        channel = self._connection.channel()
        for name in self._queues():
            channel.queue_delete(name)
            channel.exchange_delete(name)
        channel.close()

    def _errors(self) -> tuple[type[Exception], ...]:
        return AMQPError, OSError


class RabbitMQClassic(RabbitMQ):
    """A classic queue: quicker, one copy, nothing counted."""

    kind = "rabbitmq_classic"
    guarantees = Guarantees(delivery="at_least_once", redelivers="on_disconnect", stored="when_confirmed")

    def _queues(self) -> dict[str, dict[str, Any]]:
        return {self._name: {"x-queue-type": "classic"}}

    def _deliveries(self, properties: Any) -> int | None:
        return None
