"""``POST /sync``: does the work inside the request, as a web server without a queue does.

A pool of threads does it, as in any threaded web server: its size is how many can be worked for at once. A few more may
wait in line for a thread; the rest hears 503. Threads of one Python process share one core: processor time that is
spent here is taken from everybody else, the gateway's own loop included. It gets its turn sooner with ``SWITCH_S``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import redis
from redis.exceptions import RedisError

from demo_workers.queueing import charges, reports, tasks
from demo_workers.services.gateway.door.orders import read_order
from demo_workers.services.gateway.web import heads
from demo_workers.services.gateway.web.asgi import ClientGone, Receive, Scope, hung_up
from demo_workers.services.gateway.web.problems import CLOSE, JSON, Answer, answer, redis_gone, unavailable

WAITING_PER_THREAD = 4
"""How long the line for a thread may be."""

SWITCH_S = 1e-4
"""How long a thread that computes keeps the others waiting. With Python's own 5 ms each, and eight such threads, an
answer of a millisecond takes the loop half a second; with this some ten milliseconds, and the work is done as soon."""


class Inline:
    """The handler.

    Args:
        connection: a blocking Redis client, for the tasks that need one.
        queue: name of the queue that the same work would go to; timelines have it in their keys.
        threads: how many requests are worked for at once.
    """

    def __init__(self, connection: redis.Redis, queue: str, threads: int) -> None:
        self.threads = threads
        self.done = 0
        self.inside = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sync")
        self._closing: asyncio.Event = asyncio.Event()
        self._tasks: Mapping[str, Callable[..., Any]] = {
            "work": tasks.work,
            "fan_out": lambda post, author, followers, write_ms: tasks.fan_out_into(
                connection, queue, post, author, followers, write_ms / 1000
            ),
            "report": reports.report_of,
            "charge": lambda account, cents, pause_ms: charges.charge_at(connection, queue, account, cents, pause_ms),
        }

    def close(self) -> None:
        """No more work; who has none done yet is told so. What a thread has begun it goes on with."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive) -> Answer:
        """Work and answer.

        Raises:
            Problem: as for ``POST /jobs``; 503 when the line for a thread is full or the gateway is closing.
            ClientGone: the client hung up; work that had not begun is not done.
        """
        task, args = await read_order(heads.read(scope["headers"]), receive)
        if self._closing.is_set():
            raise _closing()
        most = self.threads * (1 + WAITING_PER_THREAD)
        if self.inside >= most:
            raise unavailable("All threads are at work and the line for them is full.", reason="full", limit=most)
        self.inside += 1
        work = self._pool.submit(_timed, self._tasks[task], args)
        loop = asyncio.get_running_loop()
        # counted when the thread is free again, whether or not anybody still waits for it
        work.add_done_callback(lambda work: loop.call_soon_threadsafe(self._leave, work))
        return await self._answer(work, receive)

    async def _answer(self, work: Future[Answer], receive: Receive) -> Answer:
        loop = asyncio.get_running_loop()
        done = asyncio.wrap_future(work)
        gone, closing = loop.create_task(hung_up(receive)), loop.create_task(self._closing.wait())
        try:
            await asyncio.wait((done, gone, closing), return_when=asyncio.FIRST_COMPLETED)
            if done.done() and not done.cancelled():
                return done.result()
            done.cancel()
            raise ClientGone if gone.done() else _closing()
        finally:
            gone.cancel()
            closing.cancel()

    def _leave(self, work: Future[Answer]) -> None:
        self.inside -= 1
        # who hung up in line, and what Redis was missing for, had no work done
        self.done += not work.cancelled() and work.exception() is None


def _timed(work: Callable[..., Any], args: Mapping[str, Any]) -> Answer:
    """Runs in a thread of the pool. As with jobs, work that fails is an answer like any other."""
    start = time.monotonic()
    try:
        said = {"status": "finished", "result": work(**args)}
    except (RedisError, OSError) as error:
        raise redis_gone() from error
    except Exception as error:
        said = {"status": "failed", "error": f"{type(error).__name__}: {error}"}
    return answer(200, [JSON], said | {"seconds": time.monotonic() - start})


def _closing() -> Exception:
    return unavailable("The gateway is closing; what was begun may be half done.", headers=[CLOSE])
