"""A stream on Redis with a consumer group: a log that remembers who has what.

XADD appends. XREADGROUP hands an entry to one consumer of the group and notes it as pending, with the time and how
often it was delivered. XACK takes the note away, and XDEL the entry, which XACK alone would leave. XAUTOCLAIM takes
over what has been pending for longer than ``visibility_s``. An entry that was delivered ``max_deliveries`` times goes
to a stream of dead letters: Redis has no such thing, but with the count it is three lines.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

from redis.exceptions import ResponseError

from demo_workers.brokers.protocol import Depth, Guarantees, Message, steps
from demo_workers.brokers.redis_broker import STEP_S, RedisBroker

GROUP = "consumers"
LONG_AGO_MS = 10**9
"""As if an entry that is given back had been pending for eleven days: everybody may take it."""


class RedisStream(RedisBroker):
    """At least once, counted, with dead letters."""

    kind = "redis_stream"
    guarantees = Guarantees(
        delivery="at_least_once",
        redelivers="after_timeout",
        stored="as_the_server_is_set",
        counts_deliveries=True,
        dead_letters=True,
    )

    @cached_property
    def _consumer(self) -> str:
        return secrets.token_hex(8)

    @cached_property
    def _stream(self) -> str:
        """The key, once its group is there."""
        try:
            self._client.xgroup_create(self._key(), GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another consumer was here first
                raise
        return self._key()

    def close(self) -> None:
        """Hang up. What is pending stays so until somebody claims it."""
        super().close()
        self.__dict__.pop("_stream", None)

    def _publish(self, data: bytes, group: str, id: str) -> None:
        self._client.xadd(self._key(), {"body": data})

    def _receive(self, wait_s: float) -> Message | None:
        for step_s in steps(wait_s, STEP_S):
            if (message := self._claim() or self._read(step_s)) is not None:
                return message
        return None

    def _read(self, wait_s: float) -> Message | None:
        """A new entry; a block of 0 would be one for ever."""
        block = max(int(wait_s * 1000), 1) if wait_s else None
        streams = self._client.xreadgroup(GROUP, self._consumer, {self._stream: ">"}, count=1, block=block)
        for _, entries in streams.items() if isinstance(streams, dict) else streams or ():
            for entry, fields in _flat(entries):
                return Message(data=fields[b"body"], deliveries=1, receipt=entry)
        return None

    def _claim(self) -> Message | None:
        """An entry that its consumer has had for too long; claiming it counts as a delivery."""
        idle_ms = int(self.settings.visibility_s * 1000)
        while True:
            # the one who claims starts its time anew, so nobody else gets it
            claimed = self._client.xautoclaim(self._stream, GROUP, self._consumer, idle_ms, count=1)
            if not claimed[1]:
                return None
            ((entry, fields),) = claimed[1]
            if not fields:  # Redis 6.2 says so of an entry that was deleted
                self._client.xack(self._stream, GROUP, entry)
                continue
            pending = self._client.xpending_range(self._stream, GROUP, entry, entry, 1)
            deliveries = int(pending[0]["times_delivered"]) if pending else 1
            if deliveries <= self.settings.max_deliveries:
                return Message(data=fields[b"body"], deliveries=deliveries, receipt=entry)
            self._done(entry, dead=fields[b"body"])

    def _done(self, entry: bytes, dead: bytes | None = None) -> None:
        with self._client.pipeline(transaction=True) as together:
            if dead is not None:
                together.xadd(self._key("dead"), {"body": dead})
            together.xack(self._stream, GROUP, entry)
            together.xdel(self._stream, entry)
            together.execute()

    def _ack(self, message: Message) -> None:
        self._done(message.receipt)

    def _nack(self, message: Message) -> None:
        receipt = message.receipt
        if not self._client.xpending_range(self._stream, GROUP, receipt, receipt, 1, consumername=self._consumer):
            return None  # it was slow, and another consumer has it now
        if (message.deliveries or 1) >= self.settings.max_deliveries:
            return self._done(receipt, dead=message.data)
        # JUSTID: giving back is no delivery
        self._client.xclaim(self._stream, GROUP, self._consumer, 0, [receipt], idle=LONG_AGO_MS, justid=True)
        return None

    def _depth(self) -> Depth:
        held = int(self._client.xpending(self._stream, GROUP)["pending"])
        total = int(self._client.xlen(self._stream))
        return Depth(total - held, held, int(self._client.xlen(self._key("dead"))))


def _flat(entries: Any) -> Any:
    """The entries of one stream; the newer protocol of Redis wraps them once more."""
    return entries[0] if entries and isinstance(entries[0], list) else entries
