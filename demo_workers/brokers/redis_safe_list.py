"""The list, repaired: BLMOVE takes a message and puts it into the consumer's own list in one step, and a reaper looks.

Until the ack a copy is in Redis. Each consumer has a lease: a key that Redis itself removes after ``visibility_s``.
The reaper moves what a consumer without a lease holds back to where it came from; here everyone who receives is the
reaper too. So a killed consumer's message comes again, and so does that of one that lives and is merely slow.
A poison message comes again for ever: a list counts nothing. Redis 6.2 or newer.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

from demo_workers.brokers.protocol import Depth, Guarantees, Message, steps
from demo_workers.brokers.redis_broker import STEP_S, RedisBroker

REAP = """
local moved = 0
for _, consumer in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if redis.call('EXISTS', KEYS[1] .. ':lease:' .. consumer) == 0 then
    while redis.call('LMOVE', KEYS[1] .. ':held:' .. consumer, KEYS[1], 'LEFT', 'RIGHT') do moved = moved + 1 end
    redis.call('SREM', KEYS[2], consumer)
  end
end
return moved
"""
"""One script, so that no consumer renews its lease between the look and the move."""

GIVE_BACK = """
if redis.call('LREM', KEYS[2], 1, ARGV[1]) == 1 then redis.call('RPUSH', KEYS[1], ARGV[1]) end
"""
"""What the reaper has moved meanwhile is not given back a second time."""


class RedisSafeList(RedisBroker):
    """At least once: what is popped is held in Redis until it is acknowledged."""

    kind = "redis_safe_list"
    guarantees = Guarantees(delivery="at_least_once", redelivers="after_timeout", stored="as_the_server_is_set")

    @cached_property
    def _consumer(self) -> str:
        return secrets.token_hex(8)

    @cached_property
    def _reaper(self) -> Any:
        return self._client.register_script(REAP)

    def close(self) -> None:
        """Hang up. The lease runs out by itself, as after a crash."""
        super().close()
        self.__dict__.pop("_reaper", None)

    def reap(self) -> int:
        """Move back what consumers without a lease hold; returns how many messages.

        Raises:
            BrokerError: the broker does not answer.
        """
        with self._asking("reap"):
            return int(self._reaper(keys=[self._key(), self._key("consumers")]))

    def _publish(self, data: bytes, group: str, id: str) -> None:
        self._client.lpush(self._key(), data)

    def _receive(self, wait_s: float) -> Message | None:
        for step_s in steps(wait_s, STEP_S):
            self.reap()
            self._renew(self.settings.visibility_s + step_s)
            data = self._move(step_s)
            if data is not None:
                self._renew(self.settings.visibility_s)
                return Message(data=data)
        return None

    def _move(self, wait_s: float) -> bytes | None:
        source, held = self._key(), self._key("held", self._consumer)
        # a wait of 0 would be one for ever
        moved: bytes | None = (
            self._client.blmove(source, held, wait_s, "RIGHT", "LEFT")
            if wait_s
            else self._client.lmove(source, held, "RIGHT", "LEFT")
        )
        return moved

    def _renew(self, lease_s: float) -> None:
        # the name first: a lease that no reaper knows of would hold messages for ever
        with self._client.pipeline(transaction=True) as both:
            both.sadd(self._key("consumers"), self._consumer)
            both.set(self._key("lease", self._consumer), 1, px=max(int(lease_s * 1000), 1))
            both.execute()

    def _ack(self, message: Message) -> None:
        self._client.lrem(self._key("held", self._consumer), 1, message.data)

    def _nack(self, message: Message) -> None:
        self._client.eval(GIVE_BACK, 2, self._key(), self._key("held", self._consumer), message.data)

    def _depth(self) -> Depth:
        held = sum(self._client.llen(key) for key in self._client.keys(self._key("held", "*")))
        return Depth(int(self._client.llen(self._key())), int(held), None)
