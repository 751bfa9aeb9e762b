"""``GET /jobs/{id}/events``: what becomes of a job, as Server-Sent Events.

The events are ``queued``, ``started``, ``progress`` and the job's end. The first one is the job as it is, whenever a
client comes; the last one is the job's end, or ``closing`` when the gateway goes first. An event's id is its state and
not a number of this connection's, so it means the same after a reconnect and in another gateway.

Starts and ends are announced by the workers. Progress, and what happens to a job without a word, is looked up a few
times a second, for all streams in one round trip, while there are streams.

Source: WHATWG HTML, section 9.2 (a 204 tells a browser not to connect again).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from redis.exceptions import RedisError

from demo_workers.services.gateway.news.listeners import CLOSING, REDIS_LOST, Listener
from demo_workers.services.gateway.news.looking import REDIS_S, Looking, ending, job_key, look, said_of_itself
from demo_workers.services.gateway.news.waiters import Ending, How, end
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.asgi import Receive, Scope, hung_up
from demo_workers.services.gateway.web.problems import CLOSE, Answer, Stream, unavailable

POLL_S = 0.2
"""Pause between two looks: progress that people watch need not come sooner."""

RETRY_MS = 1000
"""When a browser whose connection broke comes back."""

_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
_HEARTBEAT = b": no news\n\n"


class Streaming:
    """The handler.

    Args:
        state: who listens, and where the jobs are.
        looking: finds a job.
        heartbeat_s: how often a stream that has no news says so (seconds).
    """

    def __init__(self, state: State, looking: Looking, heartbeat_s: float) -> None:
        self._state, self._looking, self._heartbeat_s = state, looking, heartbeat_s
        self._listeners = state.listeners
        self._polling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive) -> Answer | Stream:
        """The stream; no content for whoever has heard the job's end already.

        Raises:
            Problem: 404; 503 when Redis does not answer, too many streams are open or the gateway is closing.
        """
        if self._state.closing:
            raise unavailable("The gateway is closing.", headers=[CLOSE])
        job_id: str = scope["path_params"]["id"]
        listener = self._listeners.add(job_id)
        try:
            job = await self._looking.find(job_id)
        except BaseException:
            self._listeners.remove(listener)
            raise
        if ending(job) is not None and _last_event(scope) == job["status"].encode():
            self._listeners.remove(listener)
            return Answer(204, [], b"")
        self._state.waiters.tell_again(job_id)
        return Stream(200, list(_HEADERS), self._parts(listener, job, receive))

    async def _parts(self, listener: Listener, job: dict[str, Any], receive: Receive) -> AsyncGenerator[bytes, None]:
        watch = asyncio.get_running_loop().create_task(hung_up(receive))
        watch.add_done_callback(lambda _: end(listener.wait, Ending(How.HUNG_UP)))
        self._poll_while_needed()
        try:
            yield b"retry: %d\n\n" % RETRY_MS + _event(job["status"], listener.begin(job))
            if ending(job) is not None:
                return
            while True:
                if not await listener.fresh(self._heartbeat_s):
                    yield _HEARTBEAT
                over, news = listener.over, listener.take()
                for name, data in news:
                    yield _event(name, data)
                if over:
                    return
        finally:
            watch.cancel()
            self._listeners.remove(listener)

    def _poll_while_needed(self) -> None:
        if self._polling is None:
            self._polling = asyncio.get_running_loop().create_task(self._poll())

    async def _poll(self) -> None:
        try:
            while self._listeners.count:
                await asyncio.sleep(POLL_S)
                try:
                    async with asyncio.timeout(REDIS_S):
                        await self._look_at_all()
                except (RedisError, OSError, TimeoutError):
                    pass  # whoever follows the announcements tells the listeners, and the next look may succeed
        finally:
            self._polling = None

    async def _look_at_all(self) -> None:
        job_ids = self._listeners.jobs()
        async with self._state.connection.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hmget(job_key(job_id), "status", "meta")
            found = await pipe.execute()
        for job_id, (status, meta) in zip(job_ids, found, strict=True):
            if status in (b"queued", b"started"):
                for listener in self._listeners.unannounced(job_id):
                    listener.status(status.decode())
                    listener.progress(said_of_itself(meta))
            else:
                await self._ended_without_a_word(job_id)

    async def _ended_without_a_word(self, job_id: str) -> None:
        """RQ's own maintenance, another program, or time has ended it."""
        job = await look(self._state, job_id)
        how = Ending(How.EXPIRED) if job is None else ending(job)
        if how is not None:
            self._state.waiters.tell(job_id, how)


def _last_event(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")


def _event(name: str, data: dict[str, Any]) -> bytes:
    identity = _identity(name, data)
    head = f"event: {name}\n" + (f"id: {identity}\n" if identity else "")
    lines = b"".join(b"data: %b\n" % line for line in msgspec.json.encode(data).splitlines())
    return head.encode() + lines + b"\n"


def _identity(name: str, data: dict[str, Any]) -> str | None:
    """What tells states apart; None for what is no state of the job's, so that a client comes back with its last."""
    if name in (CLOSING, REDIS_LOST):
        return None
    done = data["progress"].get("done") if name == "progress" and isinstance(data["progress"], dict) else None
    return f"progress-{done}" if isinstance(done, int) else name
