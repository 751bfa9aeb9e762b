"""RQ workers on our queue that are none of ours: ``rq worker``, as anybody may start it.

They are known by their names, since ours are called ``{queue}-w{number}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rq.command import PUBSUB_CHANNEL_TEMPLATE
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.worker_registration import WORKERS_BY_QUEUE_KEY


def number(queue: str, worker: str) -> int | None:
    """The number of a worker of ours, from its name; None of a stranger."""
    match = re.fullmatch(re.escape(queue) + r"-w(\d+)", worker)
    return int(match[1]) if match else None


async def strangers(connection: Any, queue: str) -> list[str]:
    """Names of the strangers that are registered for a queue.

    Args:
        connection: a ``redis.asyncio.Redis``.
        queue: the RQ queue's name.
    """
    keys: Iterable[bytes] = await connection.smembers(WORKERS_BY_QUEUE_KEY % queue)
    names = (key.decode().removeprefix("rq:worker:") for key in keys)
    return [name for name in names if number(queue, name) is None]


async def stop_their_jobs(connection: Any, queue: str) -> None:
    """Ask strangers, by RQ's own command, to stop what they are at. One that does not fork cannot.

    Args:
        connection: a ``redis.asyncio.Redis``.
        queue: only jobs of this queue's workers are stopped.
    """
    for name in await strangers(connection, queue):
        for entry in await connection.smembers(WORKER_EXECUTIONS_KEY_TEMPLATE.format(name)):
            command = {"command": "stop-job", "job_id": entry.decode().split(":")[0]}
            await connection.publish(PUBSUB_CHANNEL_TEMPLATE % name, json.dumps(command))
