"""A list on Redis: LPUSH at one end, BRPOP at the other. The queue that everybody writes first.

It is the fastest, and it keeps its order. But a pop deletes: between BRPOP and the end of the work nobody but the
consumer has the message. When the consumer is killed there, the message is gone, and nobody knows that it ever was.
"""

from __future__ import annotations

from demo_workers.brokers.protocol import Depth, Guarantees, Message
from demo_workers.brokers.redis_broker import RedisBroker


class RedisList(RedisBroker):
    """At most once: whoever pops has the only copy."""

    kind = "redis_list"
    guarantees = Guarantees(delivery="at_most_once", redelivers="never", stored="as_the_server_is_set")

    def _publish(self, data: bytes, group: str, id: str) -> None:
        self._client.lpush(self._key(), data)

    def _receive(self, wait_s: float) -> Message | None:
        data = self._pop(wait_s)
        return None if data is None else Message(data=data)

    def _ack(self, message: Message) -> None:
        """Nothing to say: the pop has deleted it already."""

    def _nack(self, message: Message) -> None:
        self._client.rpush(self._key(), message.data)  # a consumer that lives can put it back; a dead one cannot

    def _depth(self) -> Depth:
        return Depth(int(self._client.llen(self._key())), None, None)
