"""Attempts that arrive together ask the script together: one round trip for all of them.

While one batch is on its way the next one gathers. So there is never more than one script under way, and jobs are let
in in the order in which they came. The ``naive`` policy asks one by one and all at once, since it is there to race.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from demo_workers.queueing.bounded_enqueue import MAX_BATCH, Decision
from demo_workers.queueing.job_hash import Order
from demo_workers.records.events import Outcome
from demo_workers.services.gateway.state import RunState, State
from demo_workers.services.gateway.web.heads import Name
from demo_workers.services.gateway.web.problems import Answer, Problem, redis_gone, unavailable

MAX_ASKING = 1024
"""Attempts that wait for their decision. Redis decides some ten thousand a second, so these are a tenth of one."""

MAX_LOOKING = 64
"""Naive ones on their way at once: each holds a connection."""

REDIS_S = 5.0
"""A Redis that has not answered by then has frozen."""


class Verdict(NamedTuple):
    """A decision that is on record; ``refusal`` is the answer where it was no."""

    decision: Decision
    refusal: Answer | None


class _Asked:
    """An attempt and who waits for its verdict."""

    __slots__ = ("name", "order", "run", "verdict")

    def __init__(self, run: RunState, name: Name, order: Order) -> None:
        self.run, self.name, self.order = run, name, order
        self.verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()


class GroupCommit:
    """Asks the script and writes down what it says, before anybody is answered.

    Args:
        state: the rules of the door, the queue, and who must hear what was decided.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._gathered: list[_Asked] = []
        self._asking = 0
        self._said = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._looks = asyncio.Semaphore(MAX_LOOKING)
        self._looking: set[asyncio.Task[None]] = set()

    def ask(self, run: RunState, name: Name, order: Order) -> asyncio.Future[Verdict]:
        """Ask for a place; the future may raise a ``Problem``.

        Raises:
            Problem: 503, too many are asking.
        """
        if self._asking >= MAX_ASKING:
            raise unavailable("Too many requests are waiting to be let in.", limit=MAX_ASKING)
        self._asking += 1
        run.asking += 1
        asked = _Asked(run, name, order)
        if self._state.naive:
            look = self._spawn(self._look(asked))
            self._looking.add(look)
            look.add_done_callback(self._looking.discard)
            return asked.verdict
        self._gathered.append(asked)
        if self._sending is None:
            # the task begins after whatever this tick of the loop still brings
            self._sending = self._spawn(self._send())
        return asked.verdict

    async def answered(self) -> None:
        """Wait for the answer to the batch that is on its way; not at all when there is none."""
        if self._sending is not None:
            await self._said.wait()

    async def _send(self) -> None:
        try:
            while self._gathered:
                batch, self._gathered = self._gathered[:MAX_BATCH], self._gathered[MAX_BATCH:]
                await self._decide(batch)
                self._said.set()
                self._said.clear()
        finally:
            self._sending = None

    async def _decide(self, batch: list[_Asked]) -> None:
        limit, place = self._state.limit, self._state.place
        times = [asked.run.now() for asked in batch]
        try:
            async with asyncio.timeout(REDIS_S):
                orders = [asked.order for asked in batch]
                decisions = await self._state.queue.decide(orders, limit=limit, place=place)
        except (RedisError, OSError, TimeoutError) as error:
            # those who gathered meanwhile would only wait as long for the same
            lost, self._gathered = batch + self._gathered, []
            for asked in lost:
                self._settle(asked, redis_gone(error))
            return
        for asked, t, decision in zip(batch, times, decisions, strict=True):
            self._settle(asked, self._note(asked, t, decision, limit))

    async def _look(self, asked: _Asked) -> None:
        try:
            async with asyncio.timeout(REDIS_S), self._looks:
                limit, t = self._state.limit, asked.run.now()
                decision = await self._state.queue.look_then_push(asked.order, limit=limit)
        except (RedisError, OSError, TimeoutError) as error:
            self._settle(asked, redis_gone(error))
            return
        self._settle(asked, self._note(asked, t, decision, limit))

    def _note(self, asked: _Asked, t: float, decision: Decision, limit: int | None) -> Verdict | Problem:
        """Put a decision on record; ``t`` was taken before the script was sent, so that no job begins before it."""
        state, outcome = self._state, decision.outcome
        state.depth = decision.depth
        if outcome is Outcome.ERRORED:
            return Problem(422, "Idempotency-Key: was used for another job. Use a fresh key for each job.")
        status = 503 if outcome is Outcome.SHED else 202
        asked.run.note(asked.name, t, outcome, status=status, depth=decision.depth, limit=limit)
        if decision.dropped:
            state.dropped(decision.dropped)
        if outcome is Outcome.ADMITTED:
            asked.run.limits.came(decision.job_id)
        if outcome is Outcome.SHED:
            assert limit is not None
            return Verdict(decision, state.refusals.full(decision.depth, limit))
        return Verdict(decision, None)

    def _settle(self, asked: _Asked, verdict: Verdict | Problem) -> None:
        self._asking -= 1
        asked.run.asking -= 1
        if asked.verdict.done():
            return
        if isinstance(verdict, Problem):
            asked.verdict.set_exception(verdict)
        else:
            asked.verdict.set_result(verdict)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)
