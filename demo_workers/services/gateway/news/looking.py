"""``GET /jobs/{id}`` and ``GET /healthz``: what Redis knows."""

from __future__ import annotations

import asyncio
import zlib
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from demo_workers.services.gateway.news.waiters import Ending, How
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.problems import JSON, Answer, Problem, answer, redis_gone

REDIS_S = 1.0
MAX_ERROR = 4000
"""Characters of a traceback's end that are shown."""

_FIELDS = ("origin", "status", "enqueued_at", "started_at", "ended_at", "worker_name", "meta")
_TIMES = ("enqueued_at", "started_at", "ended_at")
_ENDS = {
    "finished": ("result", How.FINISHED),
    "failed": ("error", How.FAILED),
    "stopped": ("error", How.FAILED),
    "canceled": ("", How.CANCELLED),
}
_SUCCESSFUL = b"1"  # rq.results.Result.Type.SUCCESSFUL


class Looking:
    """The handlers.

    Args:
        state: where the queue is.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def job(self, scope: Scope, receive: Receive) -> Answer:
        """A job as RQ has it: status, times (RFC 3339), progress (its ``meta``), result or error.

        Raises:
            Problem: 404, or 503 when Redis does not answer.
        """
        return answer(200, [JSON], await self.find(scope["path_params"]["id"]))

    async def find(self, job_id: str) -> dict[str, Any]:
        """The same as plain values, for other handlers.

        Raises:
            Problem: as ``job``.
        """
        try:
            async with asyncio.timeout(REDIS_S):
                job = await look(self._state, job_id)
        except (RedisError, OSError, TimeoutError) as error:
            raise redis_gone() from error
        if job is None:
            raise no_such_job()
        return job

    async def health(self, scope: Scope, receive: Receive) -> Answer:
        """Whether jobs can come in, and how many are inside.

        Raises:
            Problem: 503 when Redis does not answer within a second.
        """
        try:
            async with asyncio.timeout(REDIS_S), self._state.questions:
                depth = await self._state.queue.depth()
        except (RedisError, OSError, TimeoutError) as error:
            raise redis_gone() from error
        return answer(200, [JSON], self._state.health(depth))


async def look(state: State, job_id: str) -> dict[str, Any] | None:
    """A job of our queue as plain values; None if there is none.

    Raises:
        RedisError, OSError: Redis does not answer.
    """
    async with state.questions, state.connection.pipeline(transaction=True) as pipe:
        pipe.hmget(job_key(job_id), _FIELDS)
        pipe.xrevrange(f"rq:results:{job_id}", count=1)
        values, results = await pipe.execute()
    fields = {name: value for name, value in zip(_FIELDS, values, strict=True) if value}
    # a server may be shared: jobs of other queues are nobody's business here
    if fields.get("origin") != state.queue_name.encode():
        return None
    return {"id": job_id} | view(fields, results[0][1] if results else {})


def view(fields: Mapping[str, bytes], latest: Mapping[bytes, bytes]) -> dict[str, Any]:
    """A job's hash and its latest result, as RQ stores them with its JSON serializer, as plain values."""
    seen: dict[str, Any] = {"status": fields.get("status", b"").decode()}
    seen |= {name: fields[name].decode() for name in _TIMES if name in fields}
    if b"execution_ended_at" in latest:
        # RQ writes the end of a job that failed only beside its error
        ended = datetime.fromtimestamp(float(latest[b"execution_ended_at"]), UTC)
        seen.setdefault("ended_at", ended.isoformat(timespec="microseconds").replace("+00:00", "Z"))
    # of a job whose work horse died RQ remembers the worker only beside the error
    if worker := fields.get("worker_name") or latest.get(b"worker_name"):
        seen["worker"] = worker.decode()
    if "meta" in fields:
        seen["progress"] = said_of_itself(fields["meta"])
    if latest.get(b"type") == _SUCCESSFUL:
        seen["result"] = _json(b64decode(latest.get(b"return_value", b"")) or b"null")
    elif b"exc_string" in latest:
        seen["error"] = zlib.decompress(b64decode(latest[b"exc_string"])).decode(errors="replace")[-MAX_ERROR:]
    return seen


def job_key(job_id: str) -> str:
    """Where RQ keeps a job."""
    return f"rq:job:{job_id}"


def said_of_itself(meta: bytes | None) -> Any:
    """A job's ``meta``, which is its progress; None without one."""
    return None if meta is None else _json(meta)


def ending(job: Mapping[str, Any]) -> Ending | None:
    """How a job has ended, by what ``look`` found; None while it has not."""
    if job["status"] not in _ENDS:
        return None
    told, how = _ENDS[job["status"]]
    return Ending(how, msgspec.Raw(msgspec.json.encode(job.get(told))))


def no_such_job() -> Problem:
    """The 404 for a job that is not ours, or not any more."""
    return Problem(404, "There is no such job here; results are kept for a while only.")


def _json(stored: bytes) -> Any:
    try:
        return msgspec.json.decode(stored)
    except msgspec.DecodeError:
        return None
