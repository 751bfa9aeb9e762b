"""A Redis server and workers for sweeps; nothing of them outlives the process that made them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from redis.exceptions import RedisError
from rq import Queue
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from demo_workers.errors import LabError, RedisUnavailable, WorkersNotReady
from demo_workers.queueing import dead_workers
from demo_workers.queueing.connection import connect_async
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from demo_workers.stack.workforce import WorkerKind, Workforce
from lessons.theory.bounds import whole

QUEUE = "workbook-sweeps"
"""On a server that is not ours, so that ``workbook worker --queue workbook-sweeps`` on any host takes part."""
MOST_WORKERS = 64
FIRST_NUMBER = 1000
"""Numbers below are for the workers of a stack."""


class Room:
    """Where sweeps are done. ``async with Room() as room`` keeps server and workers for several of them.

    With ``WORKBOOK_REDIS_URL`` set, the jobs go over that server, and workers of other hosts help.

    Args:
        workers: how many of its own, one per processor core unless given. 0 leaves all work to other hosts.
        environ: where ``WORKBOOK_REDIS_URL`` is looked up.

    Attributes:
        server: the Redis server.
        queue: name of the RQ queue.
        workforce: its own workers.
        broken: what has broken it, if anything.
    """

    server: RedisServer
    workforce: Workforce
    queue: str

    def __init__(self, workers: int | None = None, *, environ: Mapping[str, str] = os.environ) -> None:
        wanted = min(os.cpu_count() or 1, MOST_WORKERS) if workers is None else workers
        self.workers = whole("workers", wanted, 0, MOST_WORKERS)
        self.broken: LabError | None = None
        self._environ = environ
        self._connection: Any = None
        self._runtime: Path | None = None
        self._names: set[str] = set()
        self._dying: set[str] = set()
        self._lock = asyncio.Lock()

    @property
    def connection(self) -> Any:
        """A Redis client of its own, while it is open."""
        return self._connection

    async def start(self) -> None:
        """Returns when every worker waits for jobs; does nothing when they already do.

        Raises:
            RedisUnavailable, WorkersNotReady: a part did not start; the others are stopped.
        """
        async with self._lock:
            if self._runtime is not None and self.broken is None:
                return
            await self._stop()
            try:
                await self._start()
            except BaseException:
                await self._stop()
                raise

    async def stop(self) -> None:
        """End everything; may be called twice and from any state."""
        async with self._lock:
            await self._stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def free(self, jobs: Collection[str]) -> bool:
        """Kill those of its workers that are at one of these jobs; their places are filled again.

        Returns:
            Whether there were any, or still are: those it has killed whose jobs are not settled yet.
        """
        for name in set(self.workforce.names) - self._dying:
            at_work = await self._connection.smembers(WORKER_EXECUTIONS_KEY_TEMPLATE.format(name))
            if any(entry.decode().split(":")[0] in jobs for entry in at_work):
                self._names.add(name)  # to be tidied up, should this room be closed before its place is filled
                self._dying.add(name)
                self.workforce.kill(name)
        return bool(self._dying)

    def check(self) -> None:
        """See that it still works.

        Raises:
            LabError: what has broken it.
        """
        if self.broken is not None:
            raise self.broken

    async def _start(self) -> None:
        self.broken, self._dying = None, set()
        self._runtime = make_runtime_directory()
        self.server = RedisServer(self._runtime, environ=self._environ, on_exit=self._redis_died)
        await self.server.start()
        ours = self.server.ours
        self.queue = f"wb-{secrets.token_hex(4)}" if ours else QUEUE
        self._connection = connect_async(self.server.address)
        # two hosts may have workers on one queue
        first = 0 if ours else FIRST_NUMBER + secrets.randbelow(2**30)
        address, callbacks = self.server.address, (self._worker_died, self._fail, self._horse_died)
        self.workforce = Workforce(address, self.queue, self._runtime, *callbacks, first=first)
        await self.workforce.employ(self.workers, WorkerKind())
        if not await self._connection.scard(WORKERS_BY_QUEUE_KEY % self.queue):
            raise WorkersNotReady(
                f"workers = 0, and no other host works at queue {self.queue!r}: must be at least 1. Start `workbook "
                f"worker --queue {self.queue}` there, with WORKBOOK_REDIS_URL set, or use workers of your own."
            )

    async def _stop(self) -> None:
        if (workforce := getattr(self, "workforce", None)) is not None:
            self._names |= set(workforce.everyone)
            await workforce.stop()
        if self._connection is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._tidy()
            await self._connection.aclose()
            self._connection = None
        if (server := getattr(self, "server", None)) is not None:
            await server.stop()
        if self._runtime is not None:
            shutil.rmtree(self._runtime, ignore_errors=True)
            self._runtime = None

    async def _tidy(self) -> None:
        """Leave nothing on a server that others use."""
        names, self._names = self._names, set()
        if self.server.ours:
            return
        for name in names:
            await dead_workers.settle(self._connection, self.queue, name, live_workers=())
        key = Queue.redis_queue_namespace_prefix + self.queue
        if not await self._connection.exists(key, WORKERS_BY_QUEUE_KEY % self.queue):
            await self._connection.srem(Queue.redis_queues_keys, key)

    async def _worker_died(self, name: str) -> None:
        living = self.workforce.everyone if self.server.ours else None
        try:
            await dead_workers.settle(self._connection, self.queue, name, live_workers=living)
        except (RedisError, OSError) as error:
            self._fail(RedisUnavailable(f"{self.server.name} does not answer ({error}). Start the sweep again."))
        finally:
            self._dying.discard(name)

    def _horse_died(self, name: str) -> None:
        """These workers have no horses."""

    def _redis_died(self) -> None:
        self._fail(RedisUnavailable(f"{self.server.name} has died: what waited in it is lost. Start the sweep again."))

    def _fail(self, error: LabError) -> None:
        if self.broken is None:
            self.broken = error
