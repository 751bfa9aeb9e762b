"""Publish/subscribe on Redis: a loudspeaker, not a mailbox.

PUBLISH goes to everyone who listens at that moment, and to nobody else: nothing is stored, nothing comes again, and
the publisher is told at most how many heard it. Right for "somebody is typing" and for telling caches to look again;
wrong for work. A listener that is too slow is cut off by the server when its buffer is full.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from demo_workers.brokers.protocol import Depth, Guarantees, Message, steps
from demo_workers.brokers.redis_broker import RedisBroker

SUBSCRIBED_S = 5.0


class RedisPubSub(RedisBroker):
    """Everyone hears it who listens now; it listens from its first ``receive`` on."""

    kind = "redis_pubsub"
    guarantees = Guarantees(
        delivery="at_most_once",
        redelivers="never",
        stored="nowhere",
        keeps=False,
        fan_out=True,
        takes_back=False,
    )

    @cached_property
    def _listening(self) -> Any:
        listening = self._client.pubsub()
        listening.subscribe(self._key())
        # the server's word that it has begun: what is published from here on is heard
        listening.get_message(timeout=SUBSCRIBED_S)
        return listening

    def close(self) -> None:
        """Hang up and hear nothing more."""
        if "_listening" in self.__dict__:
            self._listening.close()
            del self._listening
        super().close()

    def _publish(self, data: bytes, group: str, id: str) -> None:
        self._client.publish(self._key(), data)

    def _receive(self, wait_s: float) -> Message | None:
        # what is no message (a word about the subscription) ends a wait early
        for left_s in steps(wait_s, wait_s):
            heard = self._listening.get_message(ignore_subscribe_messages=True, timeout=left_s)
            if heard is not None:
                return Message(data=heard["data"])
        return None

    def _ack(self, message: Message) -> None:
        """Nobody waits for it."""

    def _nack(self, message: Message) -> None:
        raise AssertionError("guarantees.takes_back is false")

    def _depth(self) -> Depth:
        return Depth(0, None, None)  # nothing is stored
