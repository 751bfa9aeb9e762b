"""What the brokers on Redis share: a connection, and keys under one name."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from redis.exceptions import RedisError

from demo_workers.brokers.protocol import Broker
from demo_workers.queueing.connection import connect

STEP_S = 0.1
"""How often whoever waits looks whether a dead consumer's message is to be had."""


class RedisBroker(Broker):
    """A queue on Redis. Its address is what ``demo_workers.queueing.connection.connect`` takes."""

    @cached_property
    def _client(self) -> Any:
        # a command whose reply was lost is not sent again: it may have been done, and would be done twice
        return connect(self.address, retries=0)

    def close(self) -> None:
        """Hang up."""
        if "_client" in self.__dict__:
            self._client.close()
            del self._client

    def _errors(self) -> tuple[type[Exception], ...]:
        return RedisError, OSError

    def _key(self, *parts: str) -> str:
        # a server that others use too finds all our keys under one name
        return ":".join(("workbook", self.queue, *parts))

    def _pop(self, wait_s: float) -> bytes | None:
        """Take from the list; a wait of 0 would be one for ever."""
        if not wait_s:
            return cast("bytes | None", self._client.rpop(self._key()))
        popped = self._client.brpop(self._key(), wait_s)
        return cast("bytes", popped[1]) if popped else None

    def _delete(self) -> None:
        self._client.delete(*self._client.keys(self._key("*")), self._key())
