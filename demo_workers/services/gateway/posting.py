"""``POST /jobs``: lets a job in or says no, and tells the record which.

A job that fails is an answer like any other: 200 with status ``failed`` and the error's text, because the gateway did
what it was asked. So is one whose worker died at it. A job that was taken out of the queue before it ran is a 503: it
may be sent again without doing anything twice.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from redis.exceptions import RedisError

from demo_workers.queueing.tasks import UnknownTask, decode_args
from demo_workers.records.events import Outcome
from demo_workers.services.gateway import heads
from demo_workers.services.gateway.asgi import Receive, Scope, read_body
from demo_workers.services.gateway.heads import Head, Name
from demo_workers.services.gateway.http_protocol import MAX_BODY
from demo_workers.services.gateway.looking import look
from demo_workers.services.gateway.problems import (
    CLOSE,
    JSON,
    Answer,
    Headers,
    Problem,
    answer,
    redis_gone,
    unavailable,
)
from demo_workers.services.gateway.state import RunState, State
from demo_workers.services.gateway.waiters import Ending, How, outcome

MAX_SCRIPTS = 64
"""Scripts on their way at once. Redis runs them one by one anyway, and each holds a connection."""

REDIS_S = 5.0
"""A Redis that has not answered by then has frozen."""


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """The body. The arguments are looked at once the task is known."""

    task: str
    args: msgspec.Raw = msgspec.Raw(b"{}")


_order = msgspec.json.Decoder(_Order)


class Posting:
    """The handler.

    Args:
        state: limit, queue, waiters and record.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._scripts = asyncio.Semaphore(MAX_SCRIPTS)

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """Decide about one attempt.

        Raises:
            Problem: there was nothing to decide, or nobody to decide it; the record says ``ERRORED``.
            ClientGone: the client hung up before it had said all.
        """
        run = self._state.run
        name = None
        try:
            if self._state.closing:
                raise unavailable("The gateway is closing.", headers=[CLOSE])
            head = heads.read(scope["headers"])
            name = heads.name(head, run.own_request)
            task, args = await _read(head, receive)
            return await self._decide(run, name, task, args, heads.wait_s(head), receive)
        except Problem as problem:
            name = name or Name(run.own_request(), 1, -1)
            self._note(run, name, self._now(run), Outcome.ERRORED, status=problem.status)
            raise

    async def _decide(
        self, run: RunState, name: Name, task: str, args: dict[str, Any], wait_s: int | None, receive: Receive
    ) -> Answer:
        job_id = f"{run.run}-{name.request}-{name.attempt}"
        if not wait_s:
            return await self._enqueue(run, name, task, args, job_id) or _accepted(job_id)
        waiters = self._state.waiters
        wait = waiters.add(job_id)
        try:
            refused = await self._enqueue(run, name, task, args, job_id)
            return refused or _ended(job_id, await outcome(wait, wait_s, receive), wait_s)
        finally:
            waiters.remove(job_id, wait)

    async def _enqueue(self, run: RunState, name: Name, task: str, args: dict[str, Any], job_id: str) -> Answer | None:
        """Ask the script and write down what it said; the refusal if it said no, None if the job is in."""
        state = self._state
        try:
            async with asyncio.timeout(REDIS_S), self._scripts:
                limit, policy = state.limit, state.admission.hook("admit")
                t = self._now(run)
                with run.deciding():
                    decision = await state.queue.enqueue(task, args, job_id=job_id, limit=limit, policy=policy)
                    status = 503 if decision.outcome is Outcome.SHED else 202
                    self._note(run, name, t, decision.outcome, status=status, depth=decision.depth, limit=limit)
                if decision.outcome is Outcome.DUPLICATE:
                    await self._tell_if_over(job_id)
        except (RedisError, OSError, TimeoutError) as error:
            raise redis_gone() from error
        return self._full(decision.depth, limit) if decision.outcome is Outcome.SHED else None

    async def _tell_if_over(self, job_id: str) -> None:
        """The end of a job that was already here may have been announced before anybody listened this time."""
        if self._state.waiters.tell_again(job_id):
            return
        job = await look(self._state, job_id) or {}
        ends = {"finished": ("result", How.FINISHED), "failed": ("error", How.FAILED), "canceled": ("", How.CANCELLED)}
        if end := ends.get(job.get("status", "")):
            told, how = end
            self._state.waiters.tell(job_id, Ending(how, msgspec.Raw(msgspec.json.encode(job.get(told)))))

    def _full(self, depth: int, limit: int | None) -> Answer:
        assert limit is not None
        retry_after_s = self._state.drain.retry_after_s(depth, limit, time.monotonic())
        return unavailable("The queue is full.", retry_after_s, depth=depth, limit=limit).answer()

    def _note(
        self,
        run: RunState,
        name: Name,
        t: float,
        outcome: Outcome,
        *,
        status: int,
        depth: int = -1,
        limit: int | None = None,
    ) -> None:
        run.counts.decided(outcome)
        if run.record is not None:
            run.record.decision(name, t, outcome, status=status, depth=depth, limit=limit)

    def _now(self, run: RunState) -> float:
        return 0.0 if run.record is None else run.record.now()


async def _read(head: Head, receive: Receive) -> tuple[str, dict[str, Any]]:
    """Task and arguments out of the body."""
    heads.check_body(head)
    body = await read_body(receive, MAX_BODY)
    if body is None:
        raise heads.too_large()
    try:
        order = _order.decode(body)
        return order.task, decode_args(order.task, order.args)
    except (msgspec.DecodeError, UnknownTask, UnicodeError, RecursionError) as error:
        raise _misfit(body, error) from None


def _misfit(body: bytes, error: Exception) -> Problem:
    """The problem with a body that could not be decoded: 400 if it is no JSON at all, else 422."""
    try:
        # a decoder that knows its type may meet a wrong type before it meets broken JSON
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as broken:
        return Problem(400, f"The body is not JSON: {broken}.")
    if isinstance(error, UnknownTask):
        return Problem(422, str(error))
    return Problem(422, f'{error}. Ask with {{"task": name, "args": {{...}}}}.')


def _accepted(job_id: str, *headers: tuple[bytes, bytes]) -> Answer:
    return answer(202, [JSON, _location(job_id), *headers], {"id": job_id, "status": "queued"})


def _ended(job_id: str, ending: Ending, wait_s: int) -> Answer:
    """What a client that waited is told."""
    applied = (b"preference-applied", b"wait=%d" % wait_s)
    headers: Headers = [JSON, _location(job_id), applied]
    if ending.how is How.FINISHED:
        return answer(200, headers, {"id": job_id, "status": "finished", "result": ending.result})
    if ending.how is How.FAILED:
        return answer(200, headers, {"id": job_id, "status": "failed", "error": ending.result})
    if ending.how in _NO_END:
        raised = unavailable(_NO_END[ending.how], headers=[_location(job_id), applied], id=job_id)
        return raised.answer()
    return _accepted(job_id, applied)


_NO_END = {
    How.CANCELLED: "The job was taken out of the queue before it ran.",
    How.CLOSING: "The job is in, but the gateway is closing and will not hear of its end.",
    How.REDIS_LOST: "The job was in, but Redis has gone, and perhaps the job with it.",
}


def _location(job_id: str) -> tuple[bytes, bytes]:
    return b"location", b"/jobs/" + job_id.encode()
