"""Section c ★: letters whose horses, workers and machines are harmed, watched in Redis.

The workers have the workbook's classroom timings: RQ's own crash detection in a hurry. Nobody but RQ looks after them
here; a stack that sees its worker's process end would clear up at once, and a machine that has lost power tells nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import psutil
from rq import Retry

from demo_workers.errors import LabError
from demo_workers.queueing import letters
from demo_workers.queueing.letters import Entry
from demo_workers.services.children.child import Child
from demo_workers.services.faults import freezer
from demo_workers.stack.workforce import WorkerKind
from lessons.chapter import WAIT_S
from lessons.show.flow.viewing import FlowView
from lessons.task_queues.fates import EXCEPTION, FROZEN, HARM_S, HORSE, NO_RETRY, TIME_OUT, WORKER, Fate, first_word
from lessons.task_queues.lesson import Crew, Lesson
from lessons.task_queues.on_stage import OnStage, make_view
from lessons.task_queues.restart import restart_redis

WORKERS = 5
"""One for each of those that are killed or frozen, and one over, who has to notice."""

WORK_S = 0.7
THAW_S = 0.3
"""How long somebody else is at the letter of a frozen machine when that goes on: to be told apart in the picture."""

TIMEOUT_S = 1
LONG_S = 30
LOOK_S = 0.02
SETTLED = ("finished", "failed")


class Case(NamedTuple):
    """One letter and what happens to it.

    Attributes:
        work_s: how long it takes to write, seconds.
        timeout_s: RQ's time-out for it.
        bug: whether its code has a mistake, which shows when the letter is harmed.
        harm: what is done to its worker: ``kill_horse``, ``kill_machine``, ``freeze_machine`` or nothing.
        retries: how often it may be tried again.
    """

    work_s: float = WORK_S
    timeout_s: int = LONG_S
    bug: bool = False
    harm: str = ""
    retries: int = 1


CASES = {
    EXCEPTION: Case(bug=True),
    TIME_OUT: Case(work_s=5.0, timeout_s=TIMEOUT_S),
    HORSE: Case(harm="kill_horse"),
    WORKER: Case(harm="kill_machine"),
    NO_RETRY: Case(harm="kill_machine", retries=0),
    FROZEN: Case(harm="freeze_machine"),
}


class _Letter:
    """A letter under watch."""

    def __init__(self, number: int, name: str, crew: Crew, harm_s: float) -> None:
        self.number, self.name, self.case, self.harm_s = number, name, CASES[name], harm_s
        case = self.case
        work_s = harm_s if case.bug else case.work_s
        self.job = crew.queue.enqueue(
            letters.send,
            kwargs={"to": name, "text": "Thank you", "work_s": work_s, "bug": case.bug},
            job_timeout=case.timeout_s,
            retry=Retry(max=case.retries) if case.retries else None,
        )
        self.begun: list[Entry] = []
        self.sent: list[Entry] = []
        self.harmed = self.noticed = self.thawed = None
        self.status = ""

    harmed: float | None
    noticed: float | None
    thawed: float | None

    @property
    def settled(self) -> bool:
        """Whether all is over: a machine that was frozen at it has one more word to say."""
        more = self.name == FROZEN and len(self.begun) > 1
        return self.noticed is not None and self.status in SETTLED and (not more or len(self.sent) > 1)


class Post:
    """The letters of one crew, watched in Redis and harmed in time.

    Args:
        crew: forking workers with classroom timings.
        view: shows it.
        moments: how long a letter is under way when its trouble comes, by the trouble's name; the rest ``HARM_S``.
    """

    def __init__(self, crew: Crew, view: FlowView, moments: Mapping[str, float]) -> None:
        self._crew = crew
        self._began = time.monotonic()
        self._stage = OnStage(view, crew.workforce.names)
        self._letters = [_Letter(n, name, crew, moments.get(name, HARM_S)) for n, name in enumerate(CASES)]
        self._entries = 0
        self._holder: Child | None = None
        for letter in self._letters:
            self._stage.posted(letter.number)

    async def deliver(self) -> list[Fate]:
        """Watch until every letter is settled, the frozen machine has gone on, and nothing more is sent."""
        try:
            while not all(letter.settled for letter in self._letters):
                if self._now() > WAIT_S:
                    raise LabError(f"six letters: must be settled within {WAIT_S:g} s. {self._table()}")
                self._take(*await asyncio.to_thread(self._look))
                for letter in self._letters:
                    await self._harm(letter)
                await asyncio.sleep(LOOK_S)
            return await asyncio.to_thread(self._fates)
        finally:
            if self._holder is not None:
                await self._holder.stop()

    def _look(self) -> tuple[list[Entry], list[Any]]:
        """What the letters' list says, and then RQ: so no second try is seen before the reason for it."""
        entries = letters.read(self._crew.connection, self._crew.queue.name)
        with self._crew.connection.pipeline(transaction=False) as pipe:
            for letter in self._letters:
                pipe.hmget(letter.job.key, "status", "retries_left")
            return entries, pipe.execute()

    def _take(self, entries: list[Entry], found: list[Any]) -> None:
        by_name = {letter.name: letter for letter in self._letters}
        for letter, (status, left) in zip(self._letters, found, strict=True):
            self._hear(letter, (status or b"").decode(), letter.case.retries - int(left or 0))
        for entry in entries[self._entries :]:
            letter = by_name[entry.to]
            getattr(letter, entry.what).append(entry)
            getattr(self._stage, entry.what)(letter.number, entry.by)
        self._entries = len(entries)

    def _hear(self, letter: _Letter, status: str, tried_again: int) -> None:
        """What RQ's record says of a letter."""
        if letter.noticed is None and (tried_again > 0 or status in SETTLED):
            letter.noticed = self._now()
            if tried_again > 0:
                self._stage.back(letter.number, kept=letter.name == FROZEN)
        if status == "failed" and letter.status != status:
            self._stage.failed(letter.number, nth=1 + letter.case.retries)
        letter.status = status

    async def _harm(self, letter: _Letter) -> None:
        case, begun = letter.case, [self._since(entry) for entry in letter.begun]
        if letter.harmed is None and begun:
            if not case.harm:
                letter.harmed = begun[0] + min(letter.harm_s if case.bug else case.work_s, case.timeout_s)
            elif self._now() > begun[0] + letter.harm_s and self._is_at(letter):
                await getattr(self, f"_{case.harm}")(letter.begun[0].by)
                letter.harmed = self._now()
        again = len(begun) > 1 and self._now() > begun[1] + THAW_S
        if case.harm == "freeze_machine" and letter.thawed is None and again and self._holder is not None:
            letter.thawed = self._now()  # it is noticed, and somebody else is at the letter: now the machine goes on
            self._stage.goes_on(letter.begun[0].by)
            await self._holder.call("thaw")

    def _is_at(self, letter: _Letter) -> bool:
        """Whether its worker lives and is at it still; on a busy machine it may be done before its moment comes."""
        return letter.noticed is None and letter.begun[0].by in self._crew.workforce.names

    async def _kill_horse(self, worker: str) -> None:
        for horse in psutil.Process(self._crew.workforce.pid(worker)).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just sent its letter
                horse.kill()

    async def _kill_machine(self, worker: str) -> None:
        # its horse is on the leash and dies with it, as with the power of a machine
        self._crew.workforce.kill(worker)
        self._stage.silent(worker)

    async def _freeze_machine(self, worker: str) -> None:
        pid = self._crew.workforce.pid(worker)
        command = [sys.executable, "-I", "-S", freezer.__file__]
        log = self._crew.logs / f"freezer-{pid}.log"
        self._holder = Child("freezer", "", {"pid": pid}, log, command=command)
        await self._holder.start()
        await self._holder.call("hold", pids=[child.pid for child in psutil.Process(pid).children(recursive=True)])
        self._stage.silent(worker)

    def _fates(self) -> list[Fate]:
        return [
            Fate(
                letter.name,
                tuple(map(self._since, letter.begun)),
                tuple(map(self._since, letter.sent)),
                letter.harmed if letter.harmed is not None else float("nan"),
                letter.noticed if letter.noticed is not None else float("nan"),
                letter.thawed,
                letter.status,
                first_word(letter.job),
            )
            for letter in self._letters
        ]

    def _since(self, entry: Entry) -> float:
        return entry.t - self._began

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _table(self) -> str:
        return "; ".join(f"{letter.name}: {letter.status}, noticed {letter.noticed}" for letter in self._letters)


async def six_troubles(
    lesson: Lesson, *, moments: Mapping[str, float] | None = None, view: FlowView | None = None
) -> list[Fate]:
    """Send letters through forking workers and let something happen to each; at the same time, restart a Redis.

    Args:
        lesson: has the Redis of those whose workers are harmed.
        moments: how long a letter is under way when its trouble comes, seconds by the trouble's name; less than
            ``WORK_S``, and ``HARM_S`` unless given.
        view: shows the letters whose workers are harmed; a new one unless given.
    """
    moments = moments or {}
    view = view or make_view(WORKERS, WORK_S)
    view.show()
    machines, restarted = await asyncio.gather(_harm_machines(lesson, moments, view), restart_redis(lesson, moments))
    return [*machines, *restarted]


async def _harm_machines(lesson: Lesson, moments: Mapping[str, float], view: FlowView) -> list[Fate]:
    async with lesson.crew("deaths", WORKERS, WorkerKind("fork", "classroom")) as crew:
        await crew.workforce.hold()  # a machine that is gone is gone: nobody is hired in the place of the dead
        async with view.watching():
            return await Post(crew, view, moments).deliver()
