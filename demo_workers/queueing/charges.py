"""A charge, the job that nobody wants done twice. What an account was charged is a list in Redis, one entry each."""

from __future__ import annotations

import time
from typing import Annotated, Any, cast

import msgspec
import redis
from msgspec import Meta
from rq import get_current_job

from demo_workers.errors import LabError

KEPT_S = 600
"""Seconds that an account's list is kept after its latest charge."""
WRITE_S = 0.1
"""The longest that the entry takes to be written."""


class ChargeArgs(msgspec.Struct, forbid_unknown_fields=True):
    """``pause_ms``: an added pause before it is written, as if a bank were asked first."""

    account: Annotated[str, Meta(min_length=1, max_length=40)]
    cents: Annotated[int, Meta(ge=1, le=100_000)]
    pause_ms: Annotated[float, Meta(ge=0, le=5000)] = 0.0

    def longest_s(self) -> float:
        """Seconds after which something must be wrong with it."""
        return self.pause_ms / 1000 + WRITE_S


def key(prefix: str, account: str) -> str:
    """Where an account's charges are."""
    return f"{prefix}:charges:{account}"


def charge(account: str, cents: int, pause_ms: float = 0.0) -> dict[str, Any]:
    """Charge an account once more. It knows nothing of charges that were made before."""
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Elsewhere call charge_at.")
    return charge_at(job.connection, job.origin, account, cents, pause_ms)


def charge_at(connection: redis.Redis, prefix: str, account: str, cents: int, pause_ms: float) -> dict[str, Any]:
    """The same for whoever has a Redis connection.

    Args:
        connection: where the lists are.
        prefix: of their keys.
        account: whose.
        cents: how much.
        pause_ms: added pause, milliseconds.
    """
    time.sleep(pause_ms / 1000)
    pipe = connection.pipeline(transaction=True)
    pipe.rpush(key(prefix, account), cents)
    pipe.expire(key(prefix, account), KEPT_S)
    number, _ = pipe.execute()
    return {"account": account, "cents": cents, "charges": number}


def charged(connection: redis.Redis, prefix: str, account: str) -> list[int]:
    """What an account was charged (cents), the earliest first."""
    found = cast("list[bytes]", connection.lrange(key(prefix, account), 0, -1))
    return [int(one) for one in found]
