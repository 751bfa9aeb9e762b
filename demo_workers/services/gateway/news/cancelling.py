"""``DELETE /jobs/{id}``: takes a job that waits out of the queue. One that runs or has ended stays what it is."""

from __future__ import annotations

import asyncio

from redis.exceptions import RedisError

from demo_workers.services.gateway.news.looking import REDIS_S, no_such_job
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.problems import JSON, Answer, Problem, answer, redis_gone

_CANCELED = "canceled"


class Cancelling:
    """The handler.

    Args:
        state: the queue, and who must hear of it.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """Cancel it; one that was cancelled before is no mistake, since a lost answer may be asked for again.

        Raises:
            Problem: 404; 409 when a worker has it or has had it; 503 when Redis does not answer.
        """
        job_id: str = scope["path_params"]["id"]
        try:
            async with asyncio.timeout(REDIS_S), self._state.questions:
                taken, status = await self._state.queue.cancel(job_id)
        except (RedisError, OSError, TimeoutError) as error:
            raise redis_gone() from error
        if taken:
            self._state.cancelled([job_id])
        elif status is None:
            raise no_such_job()
        elif status != _CANCELED:
            detail = "The job does not wait any more: a worker has it, or has had it."
            raise Problem(409, detail, id=job_id, job_status=status)
        return answer(200, [JSON], {"id": job_id, "status": _CANCELED})
