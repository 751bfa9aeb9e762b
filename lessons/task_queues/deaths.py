"""Section c: six letters, six fates. Who notices what, when, and what is done twice?

The workers have the workbook's classroom timings: RQ's own crash detection in a hurry. Nobody but RQ looks after them
here; a stack that sees its worker's process end would clear up at once, and a machine that has lost power tells nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import NamedTuple

import psutil
from rq import Retry
from rq.job import Job

from demo_workers.errors import LabError
from demo_workers.queueing import letters
from demo_workers.services import freezer
from demo_workers.services.child import Child
from demo_workers.stack.workforce import WorkerKind
from lessons.chapter import WAIT_S
from lessons.check.claims import Claim, check
from lessons.task_queues.defaults import JOB_TIMEOUT_S, LATEST_S, SOONEST_S
from lessons.task_queues.lesson import Crew, Lesson

WORKERS = 5
"""One for each of those that are killed or frozen, and one over, who has to notice."""

WORK_S = 0.7
HARM_S = 0.3
"""How long a letter is under way when its worker is harmed."""

THAW_S = 0.3
"""How long somebody else is at the letter of a frozen machine when that goes on: to be told apart in the picture."""

TIMEOUT_S = 1
LONG_S = 30
LOOK_S = 0.02
SETTLED = ("finished", "failed")

EXCEPTION, TIME_OUT, HORSE, WORKER, NO_RETRY, FROZEN = (
    "exception",
    "time-out",
    "horse killed",
    "machine dies",
    "machine dies, no Retry",
    "machine freezes",
)


_MACHINE = ("another worker, some time", f"{SOONEST_S:.0f} to {LATEST_S:.0f} s later")

WHO = {
    EXCEPTION: ("the work horse itself", "at once"),
    TIME_OUT: ("an alarm in the work horse", f"at once, but the time-out is {JOB_TIMEOUT_S} s"),
    HORSE: ("its worker, who waits for it", "at once"),
    WORKER: _MACHINE,
    NO_RETRY: _MACHINE,
    FROZEN: _MACHINE,
}
"""Of each trouble: who notices it, and when if RQ is left as it comes."""


class Case(NamedTuple):
    """One letter and what happens to it.

    Attributes:
        work_s: how long it takes to write, seconds.
        timeout_s: RQ's time-out for it.
        bug: whether its code has a mistake.
        harm: what is done to its worker: ``kill_horse``, ``kill_machine``, ``freeze_machine`` or nothing.
        retries: how often it may be tried again.
    """

    work_s: float = WORK_S
    timeout_s: int = LONG_S
    bug: bool = False
    harm: str = ""
    retries: int = 1


CASES = {
    EXCEPTION: Case(work_s=0.3, bug=True),
    TIME_OUT: Case(work_s=5.0, timeout_s=TIMEOUT_S),
    HORSE: Case(harm="kill_horse"),
    WORKER: Case(harm="kill_machine"),
    NO_RETRY: Case(harm="kill_machine", retries=0),
    FROZEN: Case(harm="freeze_machine"),
}


class Fate(NamedTuple):
    """What became of one letter; times in seconds since all six were enqueued.

    Attributes:
        name: of its case.
        begun: each time that somebody began it.
        sent: each time that it was sent.
        harmed: when its trouble came: the mistake, the time-out, or the signal.
        noticed: when RQ's own record of the job said so.
        thawed: when its frozen machine went on; None for the others.
        status: the job's in the end.
        said: what RQ wrote down first, if anything.
    """

    name: str
    begun: tuple[float, ...]
    sent: tuple[float, ...]
    harmed: float
    noticed: float
    thawed: float | None
    status: str
    said: str

    @property
    def after_s(self) -> float:
        """How long nobody knew."""
        return self.noticed - self.harmed


class _Letter:
    """A letter under watch."""

    def __init__(self, name: str, crew: Crew) -> None:
        self.name, self.case = name, CASES[name]
        case = self.case
        self.job = crew.queue.enqueue(
            "demo_workers.queueing.letters.send",
            kwargs={"to": name, "text": "Thank you", "work_s": case.work_s, "bug": case.bug},
            job_timeout=case.timeout_s,
            retry=Retry(max=case.retries) if case.retries else None,
        )
        self.harmed = self.noticed = self.thawed = None
        self.status, self.worker, self.said = "", "", ""

    harmed: float | None
    noticed: float | None
    thawed: float | None


class Post:
    """Six letters of one crew, watched in Redis and harmed in time.

    Args:
        crew: forking workers with classroom timings.
        harm_s: how long a letter is under way when its worker is harmed.
    """

    def __init__(self, crew: Crew, harm_s: float) -> None:
        self._crew, self._harm_s = crew, harm_s
        self._began = time.monotonic()
        self._letters = [_Letter(name, crew) for name in CASES]
        self._holder: Child | None = None

    async def deliver(self) -> list[Fate]:
        """Watch until every letter is settled, the frozen machine has gone on, and nothing more is sent."""
        try:
            while not self._all_over():
                if self._now() > WAIT_S:
                    raise LabError(f"six letters: must be settled within {WAIT_S:g} s. {self._table()}")
                entries = await asyncio.to_thread(self._look)
                for letter in self._letters:
                    await self._harm(letter, entries)
                await asyncio.sleep(LOOK_S)
            return await asyncio.to_thread(self._fates)
        finally:
            if self._holder is not None:
                await self._holder.stop()

    def _look(self) -> list[letters.Entry]:
        """What RQ says of every job, and what the letters' list says."""
        with self._crew.connection.pipeline(transaction=False) as pipe:
            for letter in self._letters:
                pipe.hmget(letter.job.key, "status", "retries_left", "worker_name")
            found = pipe.execute()
        now = self._now()
        for letter, (status, left, worker) in zip(self._letters, found, strict=True):
            letter.status, letter.worker = (status or b"").decode(), (worker or b"").decode()
            tried = letter.case.retries - int(left or 0)
            if letter.noticed is None and (tried > 0 or letter.status in SETTLED):
                letter.noticed = now
        return letters.read(self._crew.connection, self._crew.queue.name)

    async def _harm(self, letter: _Letter, entries: list[letters.Entry]) -> None:
        begun = self._when("begun", letter, entries)
        if letter.harmed is None and begun and letter.worker:
            if not letter.case.harm:
                letter.harmed = begun[0] + min(letter.case.work_s, letter.case.timeout_s)
            elif self._now() > begun[0] + self._harm_s:
                await getattr(self, f"_{letter.case.harm}")(letter.worker)
                letter.harmed = self._now()
        again = len(begun) > 1 and self._now() > begun[1] + THAW_S
        if letter.case.harm == "freeze_machine" and letter.thawed is None and again:
            assert self._holder is not None
            letter.thawed = self._now()  # it is noticed, and somebody else is at the letter: now the machine goes on
            await self._holder.call("thaw")

    async def _kill_horse(self, worker: str) -> None:
        for horse in psutil.Process(self._crew.workforce.pid(worker)).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                horse.kill()

    async def _kill_machine(self, worker: str) -> None:
        # its horse is on the leash and dies with it, as with the power of a machine
        self._crew.workforce.kill(worker)

    async def _freeze_machine(self, worker: str) -> None:
        pid = self._crew.workforce.pid(worker)
        command = [sys.executable, "-I", "-S", freezer.__file__]
        log = self._crew.logs / f"freezer-{pid}.log"
        self._holder = Child("freezer", "", {"pid": pid}, log, command=command)
        await self._holder.start()
        await self._holder.call("hold", pids=[child.pid for child in psutil.Process(pid).children(recursive=True)])

    def _all_over(self) -> bool:
        settled = all(letter.noticed is not None and letter.status in SETTLED for letter in self._letters)
        if not settled:
            return False
        frozen = next(letter for letter in self._letters if letter.name == FROZEN)
        sent = self._when("sent", frozen, letters.read(self._crew.connection, self._crew.queue.name))
        return len(sent) > 1

    def _fates(self) -> list[Fate]:
        entries = letters.read(self._crew.connection, self._crew.queue.name)
        return [
            Fate(
                letter.name,
                self._when("begun", letter, entries),
                self._when("sent", letter, entries),
                letter.harmed if letter.harmed is not None else float("nan"),
                letter.noticed if letter.noticed is not None else float("nan"),
                letter.thawed,
                letter.status,
                _first_word(letter.job),
            )
            for letter in self._letters
        ]

    def _when(self, what: str, letter: _Letter, entries: list[letters.Entry]) -> tuple[float, ...]:
        return tuple(entry.t - self._began for entry in entries if (entry.what, entry.to) == (what, letter.name))

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _table(self) -> str:
        return "; ".join(f"{letter.name}: {letter.status}, noticed {letter.noticed}" for letter in self._letters)


def _first_word(job: Job) -> str:
    """The last line of the first failure that RQ wrote down; empty where it wrote none."""
    texts = [str(result.exc_string) for result in job.results() if result.exc_string]
    return texts[-1].strip().splitlines()[-1] if texts else ""


async def six_fates(lesson: Lesson, *, harm_s: float = HARM_S) -> list[Fate]:
    """Send six letters through five forking workers and let something happen to each.

    Args:
        lesson: has the Redis.
        harm_s: how long a letter is under way when its worker is harmed, less than ``WORK_S``.
    """
    async with lesson.crew("deaths", WORKERS, WorkerKind("fork", "classroom")) as crew:
        await crew.workforce.hold()  # a machine that is gone is gone: nobody is hired in the place of the dead
        return await Post(crew, harm_s).deliver()


def check_fates(fates: list[Fate]) -> None:
    """What section c says of them.

    Raises:
        ClaimError: it is not so.
    """
    by = {fate.name: fate for fate in fates}
    numbers = "; ".join(map(str, fates))
    quick = max(by[name].after_s for name in (EXCEPTION, TIME_OUT, HORSE))
    slow = min(by[name].after_s for name in (WORKER, NO_RETRY, FROZEN))

    def tried(*names: str) -> list[int]:
        return [len(by[name].begun) for name in names]

    def sent(*names: str) -> list[int]:
        return [len(by[name].sent) for name in names]

    check(
        Claim("the mistake, the time-out and the killed horse were noticed before any dead or frozen machine",
              quick < slow, numbers),
        Claim("what had a retry left was tried a second time",
              tried(EXCEPTION, TIME_OUT, HORSE, WORKER, FROZEN) == [2] * 5, numbers),
        Claim("without Retry it was not tried again, and its letter was never sent",
              tried(NO_RETRY) == [1] and sent(NO_RETRY) == [0] and by[NO_RETRY].status == "failed", numbers),
        Claim("a second try does not help against a mistake or a time-out that is too short",
              sent(EXCEPTION, TIME_OUT) == [0, 0], numbers),
        Claim("after a killed horse and a dead machine the letter was sent, once", sent(HORSE, WORKER) == [1, 1],
              numbers),
        Claim("the frozen machine had only seemed dead: that letter was sent twice", sent(FROZEN) == [2], numbers),
    )  # fmt: skip


def show_who_noticed(fates: list[Fate]) -> None:
    """Print who noticed what, after how long here, and after how long with RQ's defaults (computed)."""
    print(f"{'trouble':<24}{'who notices':<30}{'here':>8}   with RQ's defaults")
    for fate in fates:
        who, default = WHO[fate.name]
        print(f"{fate.name:<24}{who:<30}{fate.after_s:>6.2f} s   {default}")
