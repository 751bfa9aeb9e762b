"""Turns an address into a Redis client.

An address travels to child processes as JSON on their standard input, never in argv: it holds the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

WORKER_RETRIES = 20
"""Some ten seconds: a worker survives a restart of the server."""
LOOP_RETRIES = 3
"""Less than half a second: what answers people on an event loop tells them soon that the server has gone."""
CAP_S = 1.0
BASE_S = 0.05
CONNECT_S = 5.0

# redis-py's default of 5 s would cut off whoever waits at an empty queue; replies stay bytes because RQ needs them
_OPTIONS: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": CONNECT_S, "decode_responses": False}


def connect(address: Mapping[str, str], *, retries: int = WORKER_RETRIES) -> redis.Redis:
    """A blocking client. It waits for answers as long as they take: workers block on an empty queue.

    Args:
        address: ``{"unix_socket_path": ..., "password": ...}`` or ``{"url": ...}``.
        retries: how often a command is tried again after a lost connection, with jittered waits of at most a second.
            A command whose reply was lost is sent twice.

    Raises:
        ValueError: the URL has no scheme that Redis clients know.
    """
    options = {**address, **_OPTIONS, "retry": Retry(_backoff(), retries)}
    return redis.Redis.from_url(**options) if "url" in address else redis.Redis(**options)


def connect_async(address: Mapping[str, str], *, retries: int = LOOP_RETRIES) -> redis.asyncio.Redis:
    """The same for asyncio."""
    options = {**address, **_OPTIONS, "retry": AsyncRetry(_backoff(), retries)}
    return redis.asyncio.Redis.from_url(**options) if "url" in address else redis.asyncio.Redis(**options)


def _backoff() -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(cap=CAP_S, base=BASE_S)
