"""The workers of a stack: hiring, letting go, and taking the place of the dead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from demo_workers.errors import LabError, WorkersNotReady
from demo_workers.policies.backoff import BackoffState, ceiling
from demo_workers.queueing.connection import WORKER_RETRIES
from demo_workers.services.children.child import LOOK_S, Child

READY_S = 15.0

TRIES = 5
"""How often a place is filled anew when somebody kills the successor before it is ready."""

YOUNG_S = 5.0
"""A worker that ends by a mistake of its own within this has learnt nothing: its successor waits before it is hired."""

PAUSE_BASE_S, PAUSE_CAP_S = 0.1, 5.0
"""So long after the first; each further one in a row doubles it."""

Died = Callable[[str], Awaitable[None]]


class WorkerKind(NamedTuple):
    """What kind of worker: the values of ``service.worker_class`` and ``service.timings``.

    ``retries`` is how often its client tries a command again after a lost connection.
    """

    worker_class: str = "simple"
    timings: str = "classroom"
    retries: int = WORKER_RETRIES


class Workforce:
    """Keeps ``wanted`` real RQ workers alive, one process each.

    Args:
        address: the Redis server.
        queue: name of the RQ queue they take from.
        logs: directory for their logs.
        died: called with the name of a worker that died unasked, before its successor is hired.
        failed: called with the error when no successor could be hired.
        horse_died: called with the name of a forking worker whose work horse was killed at its job.
        first: number of the first worker; the next ones count on.
    """

    def __init__(
        self,
        address: Mapping[str, str],
        queue: str,
        logs: Path,
        died: Died,
        failed: Callable[[LabError], None],
        horse_died: Callable[[str], None],
        *,
        first: int = 0,
    ) -> None:
        self._address, self._queue, self._logs = dict(address), queue, logs
        self._died, self._failed, self._horse_died = died, failed, horse_died
        self._workers: dict[str, Child] = {}
        self._leaving: dict[str, Child] = {}  # told to, and at their last job
        self._kind = WorkerKind()
        self._failed_young = self._replacing = 0
        self._next = first
        self._since: dict[str, float] = {}
        self._wanted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._may_hire = asyncio.Event()
        self._may_hire.set()

    @property
    def names(self) -> list[str]:
        """Names of the living workers, oldest first."""
        return [name for name, child in self._workers.items() if child.alive]

    @property
    def everyone(self) -> list[str]:
        """Those too that are at their last job."""
        return [*self.names, *(name for name, child in self._leaving.items() if child.alive)]

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers, oldest first."""
        return [child.pid for child in self._workers.values() if child.alive and child.pid]

    async def resize(self, wanted: int) -> None:
        """Hire or let go until ``wanted`` are there; those let go finish their job first.

        Raises:
            WorkersNotReady: a new worker did not report in time.
        """
        self._wanted = wanted
        async with self._lock:
            missing = wanted - len(self.names)
            if missing > 0:
                await asyncio.gather(*(self._hire() for _ in range(missing)))
            for name in self.names[wanted:]:
                self._let_go(name)

    async def employ(self, wanted: int, kind: WorkerKind) -> None:
        """Have ``wanted`` workers of this kind; those of another kind are let go, and have gone when this returns.

        Raises:
            WorkersNotReady: a new worker did not report in time.
        """
        others = [self._let_go(name) for name in self.names] if kind != self._kind else []
        self._kind = kind
        await self.resize(wanted)
        await asyncio.gather(*others)

    def pid(self, name: str) -> int:
        """Process id of one worker."""
        pid = self._child(name).pid
        assert pid is not None
        return pid

    async def hold(self) -> None:
        """Settle and replace no dead worker until ``go_on``: the server would refuse both.

        Returns when those that are being replaced are there.
        """
        self._may_hire.clear()
        while self._replacing:
            await asyncio.sleep(LOOK_S)

    async def go_on(self) -> None:
        """Settle and replace those who have died meanwhile; returns when that is done."""
        self._may_hire.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=READY_S)

    def kill(self, name: str) -> None:
        """SIGKILL one worker; its place is taken, unless it was leaving."""
        self._child(name).kill()

    async def stop(self) -> None:
        """End them all at once; may be called twice."""
        self._wanted = 0
        for task in list(self._tasks):
            task.cancel()
        children = [*self._workers.values(), *self._leaving.values()]
        self._workers, self._leaving = {}, {}
        await asyncio.gather(*(child.stop(grace_s=0.5) for child in children))

    async def _hire(self) -> None:
        for _ in range(TRIES):
            name, child = self._candidate()
            self._workers[name] = child
            try:
                await child.start(timeout_s=READY_S)
                self._since[name] = time.monotonic()
                return
            except LabError as error:
                self._workers.pop(name, None)
                if (child.returncode or 0) >= 0:
                    raise WorkersNotReady(str(error)) from error
                failure = error
                # killed before it was ready: its place is filled again, like that of any dead worker
                await self._died(name)
        raise WorkersNotReady(f"{TRIES} in a row were killed before they were ready. {failure}") from failure

    def _candidate(self) -> tuple[str, Child]:
        number, self._next = self._next, self._next + 1
        config: dict[str, Any] = {
            "address": self._address,
            "queue": self._queue,
            "number": number,
            "class": self._kind.worker_class,
            "timings": self._kind.timings,
            "retries": self._kind.retries,
        }
        log = self._logs / f"worker-{number}.log"
        name, module = f"{self._queue}-w{number}", "demo_workers.queueing.worker"

        def heard(event: dict[str, Any]) -> None:
            if event.get("event") == "horse_died":
                self._horse_died(name)

        return name, Child(f"worker {number}", module, config, log, on_event=heard, on_exit=self._on_exit)

    def _child(self, name: str) -> Child:
        return self._workers.get(name) or self._leaving[name]

    def _let_go(self, name: str) -> asyncio.Task[None]:
        """Tell a worker to leave; it is off the list at once, and the task is done when it has gone."""
        child = self._leaving[name] = self._workers.pop(name)
        self._since.pop(name, None)
        # SIGTERM: finish the job in hand, then leave
        child.terminate()
        return self._spawn(self._see_off(name, child))

    async def _see_off(self, name: str, child: Child) -> None:
        await child.wait()
        await child.stop()
        self._leaving.pop(name, None)
        if (child.returncode or 0) < 0:
            # killed at its last job
            await self._may_hire.wait()
            await self._died(name)

    def _on_exit(self, child: Child) -> None:
        name = next((n for n, c in self._workers.items() if c is child), None)
        if name is not None:
            del self._workers[name]
            self._spawn(self._replace(name, self._pause_s(name, child.returncode or 0)))

    def _pause_s(self, name: str, code: int) -> float:
        """How long its place stays empty. Being killed is no mistake of its own; with each young failure it doubles."""
        now = time.monotonic()
        # one that ends with its first word has no time of its hiring yet: nobody is younger
        young = now - self._since.pop(name, now) < YOUNG_S
        self._failed_young = self._failed_young + 1 if young and code >= 0 else 0
        if not self._failed_young:
            return 0.0
        return ceiling(BackoffState(self._failed_young - 1), PAUSE_BASE_S, PAUSE_CAP_S)

    async def _replace(self, name: str, pause_s: float) -> None:
        await self._may_hire.wait()
        self._replacing += 1
        try:
            await self._died(name)
            await asyncio.sleep(pause_s)
            await self.resize(self._wanted)
        except LabError as error:
            self._failed(error)
        finally:
            self._replacing -= 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
