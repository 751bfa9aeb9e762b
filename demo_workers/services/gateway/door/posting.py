"""``POST /jobs``: lets a job in or says no, and tells the record which.

Refusing must stay cheap when everybody comes. So a "full" that is remembered is said before anything but the attempt's
name was looked at: a request with a bad body hears 503 then, and what is wrong with it when it comes again.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from redis.exceptions import RedisError

from demo_workers.policies.custom import Door
from demo_workers.queueing.job_hash import Order, order
from demo_workers.records.events import Outcome
from demo_workers.services.gateway.door.group_commit import REDIS_S, GroupCommit
from demo_workers.services.gateway.door.orders import read_order
from demo_workers.services.gateway.news.answers import accepted, ended
from demo_workers.services.gateway.news.looking import ending, look
from demo_workers.services.gateway.news.waiters import Ending, How, outcome
from demo_workers.services.gateway.state import RunState, State
from demo_workers.services.gateway.web import heads
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.heads import Head, Name
from demo_workers.services.gateway.web.problems import (
    CLOSE,
    Answer,
    Headers,
    Problem,
    redis_gone,
    too_many_requests,
    unavailable,
)


class Posting:
    """The handler.

    Args:
        state: limit, queue, waiters and record.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._commit = GroupCommit(state)

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """Decide about one attempt.

        Raises:
            Problem: there was nothing to decide, or nobody to decide it; the record says ``ERRORED``.
            ClientGone: the client hung up before it had said all.
        """
        state = self._state
        run, name = state.run, None
        try:
            if state.closing:
                raise unavailable("The gateway is closing.", headers=[CLOSE])
            head = heads.read(scope["headers"])
            name = heads.name(head, run.own_request)
            if (throttled := self._throttled(run, name)) is not None:
                return throttled
            if state.refusals.doubtful and self._may_remember(head):
                # if somebody is asking just now, what that one hears need not be asked again
                await self._commit.answered()
            return self._remembered(run, name, head) or await self._decide(run, name, head, receive)
        except Problem as problem:
            name = name or Name(run.own_request(), 1, -1)
            run.note(name, run.now(), Outcome.ERRORED, status=problem.status)
            raise

    def at_once(self, headers: Headers) -> Answer | None:
        """A refusal from memory, without a word of the body; None for whatever needs more.

        Raises:
            Problem: the attempt's name is no name.
        """
        state = self._state
        # where clients are counted one by one, that comes first
        if state.closing or state.admission.client_rate is not None:
            return None
        head = heads.read(headers)
        if not self._may_remember(head):
            return None
        return self._remembered(state.run, heads.name(head, state.run.own_request), head)

    def _may_remember(self, head: Head) -> bool:
        """Whether a full queue is a no for this one; a key may be known already, and then the answer is not "full"."""
        return not head.get(heads.KEY) and self._state.full_means_no(heads.urgent(head))

    def _remembered(self, run: RunState, name: Name, head: Head) -> Answer | None:
        """The script's "full" of a moment ago."""
        full = self._state.refusals.remembered()
        if full is None or not self._may_remember(head):
            return None
        run.refused_unasked(name, full.depth, full.limit)
        return full.answer

    async def _decide(self, run: RunState, name: Name, head: Head, receive: Receive) -> Answer:
        arrived, left_s = time.time(), heads.deadline_s(head)
        task, args = await read_order(head, receive)
        if (refused := self._turned_away(run, name, head, left_s)) is not None:
            return refused
        new = order(
            task,
            args,
            f"{run.run}-{name.request}-{name.attempt}",
            urgent=heads.urgent(head),
            key=heads.key_digest(head, run.run),
            expires_at=None if left_s is None else arrived + left_s,
        )
        wait_s = heads.wait_s(head)
        return await (
            self._answer_when_over(run, name, new, wait_s, receive) if wait_s else self._enqueue(run, name, new)
        )

    async def _enqueue(self, run: RunState, name: Name, new: Order) -> Answer:
        """Answer once the job is in, or not."""
        decision, refusal = await self._commit.ask(run, name, new)
        if refusal is not None:
            return refusal
        if decision.outcome is not Outcome.DUPLICATE:
            return accepted(new.job_id)
        job = await self._look(decision.job_id) or {"status": "expired"}
        return accepted(decision.job_id, status=job["status"])

    async def _answer_when_over(self, run: RunState, name: Name, new: Order, wait_s: int, receive: Receive) -> Answer:
        """Answer once the job has ended, or is not let in."""
        waiters = self._state.waiters
        # before the job is sent off, so that its end cannot be missed
        wait = waiters.add(new.job_id)
        try:
            decision, refusal = await self._commit.ask(run, name, new)
            if refusal is not None:
                return refusal
            if decision.outcome is not Outcome.DUPLICATE:
                return self._ended(new.job_id, await outcome(wait, wait_s, receive), wait_s)
        finally:
            waiters.remove(new.job_id, wait)
        return await self._join(decision.job_id, wait_s, receive)

    async def _join(self, job_id: str, wait_s: int, receive: Receive) -> Answer:
        """Answer once a job that was already here has ended, or at once if it has."""
        waiters = self._state.waiters
        wait = waiters.add(job_id)
        try:
            if not waiters.tell_again(job_id):
                job = await self._look(job_id)
                over = Ending(How.EXPIRED) if job is None else ending(job)
                if over is not None:
                    waiters.tell(job_id, over)
            return self._ended(job_id, await outcome(wait, wait_s, receive), wait_s)
        finally:
            waiters.remove(job_id, wait)

    def _ended(self, job_id: str, ending: Ending, wait_s: int) -> Answer:
        return ended(job_id, ending, wait_s, self._state.retry_after_s())

    def _throttled(self, run: RunState, name: Name) -> Answer | None:
        """The refusal for a client that has asked too often."""
        rules = self._state.admission
        if rules.client_rate is None:
            return None
        wait_s = run.throttle.wait_s(name.client, time.monotonic(), rules.client_rate, rules.client_burst)
        if wait_s == 0:
            return None
        run.note(name, run.now(), Outcome.THROTTLED, status=429)
        return too_many_requests(wait_s, rate=rules.client_rate, burst=rules.client_burst).answer()

    def _turned_away(self, run: RunState, name: Name, head: Head, left_s: float | None) -> Answer | None:
        """The refusal of an admission policy that need not ask the script."""
        state = self._state
        if state.admit is None:
            return None
        rate = state.drain.per_second(time.monotonic())
        door = Door(
            now_s=state.now(),
            depth=state.depth,
            limit=state.limit,
            drain_rate=rate,
            expected_wait_s=None if rate is None else state.depth / rate,
            time_left_s=left_s,
            client=name.client,
            urgent=heads.urgent(head),
        )
        if state.admit(door):
            return None
        run.refused_unasked(name, door.depth, door.limit)
        detail = "The admission policy let nobody in just now."
        said = {"reason": "policy", "depth": door.depth, "limit": door.limit}
        return unavailable(detail, state.retry_after_s(), None, **said).answer()

    async def _look(self, job_id: str) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(REDIS_S):
                return await look(self._state, job_id)
        except (RedisError, OSError, TimeoutError) as error:
            raise redis_gone() from error
