"""Section c: six troubles, and what becomes of a letter in each. Who notices, when, and what is done twice?"""

from __future__ import annotations

from typing import NamedTuple

from IPython.display import display
from rq.job import Job

from lessons.check.claims import Claim, check
from lessons.show import lanes
from lessons.show.lanes import Event, Span
from lessons.task_queues.defaults import JOB_TIMEOUT_S, LATEST_S, SOONEST_S

HARM_S = 0.3
"""How long a letter is under way when its trouble comes."""

EXCEPTION, TIME_OUT, HORSE, WORKER, NO_RETRY, FROZEN, REDIS, GIVES_UP = (
    "exception",
    "time-out",
    "horse killed",
    "machine dies",
    "machine dies, no Retry",
    "machine freezes",
    "Redis restarts",
    "same, client gives up",
)

_MACHINE = ("another worker, some time", f"{SOONEST_S:.0f} to {LATEST_S:.0f} s later")

WHO = {
    EXCEPTION: ("the work horse itself", "at once"),
    TIME_OUT: ("an alarm in the work horse", f"at once, but the time-out is {JOB_TIMEOUT_S} s"),
    HORSE: ("its worker, who waits for it", "at once"),
    WORKER: _MACHINE,
    NO_RETRY: _MACHINE,
    FROZEN: _MACHINE,
    REDIS: ("the horse, which tries again", "its client gives up: see the next line"),
    GIVES_UP: _MACHINE,
}
"""Of each trouble: who notices it, and when if RQ is left as it comes."""


class Fate(NamedTuple):
    """What became of one letter; times in seconds since it was enqueued.

    Attributes:
        name: of its trouble.
        begun: each time that somebody began it.
        sent: each time that it was sent.
        harmed: when its trouble came: the mistake, the time-out, or the signal.
        noticed: when RQ's own record of the job said so; after a restart of Redis, when it said anything new.
        thawed: when its frozen machine, or Redis, went on; None for the others.
        status: the job's in the end.
        said: what RQ wrote down first, if anything.
        kept: the status that Redis knew when it was back after a restart; empty: it knew nothing.
    """

    name: str
    begun: tuple[float, ...]
    sent: tuple[float, ...]
    harmed: float
    noticed: float
    thawed: float | None
    status: str
    said: str
    kept: str = ""

    @property
    def after_s(self) -> float:
        """How long nobody knew. RQ sets its alarm a moment before the letter begins, so the sum may be less than 0."""
        return max(self.noticed - self.harmed, 0.0)

    @property
    def accounted(self) -> bool:
        """Whether somebody can be told what became of it: it was sent, or its job is on record as failed."""
        return bool(self.sent) or self.status == "failed"

    @property
    def doubles(self) -> int:
        """How often it was sent again."""
        return max(len(self.sent) - 1, 0)

    @property
    def explained(self) -> bool:
        """Whether its doubles have a reason: its machine went on, or had sent it just before it was harmed."""
        return self.doubles <= (self.name == FROZEN or (bool(self.sent) and self.sent[0] <= self.harmed))


def first_word(job: Job) -> str:
    """The last line of the first failure that RQ wrote down; empty where it wrote none."""
    texts = [str(result.exc_string) for result in job.results() if result.exc_string]
    return texts[-1].strip().splitlines()[-1] if texts else ""


def check_fates(fates: list[Fate]) -> None:
    """What section c says of them.

    Raises:
        ClaimError: it is not so.
    """
    by = {fate.name: fate for fate in fates}
    numbers = "; ".join(map(str, fates))
    quick = max(by[name].after_s for name in (EXCEPTION, TIME_OUT, HORSE))
    slow = min(by[name].after_s for name in (WORKER, NO_RETRY, FROZEN, GIVES_UP))

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
        Claim("Redis was killed and came back, and both jobs were still on record",
              bool(by[REDIS].kept and by[GIVES_UP].kept), numbers),
        Claim("the worker whose client tried again sent its letter, once, and nobody began it anew",
              tried(REDIS) == [1] and sent(REDIS) == [1], numbers),
        Claim("the worker whose client gave up has ended; another one began its letter anew and sent it",
              tried(GIVES_UP) == [2] and sent(GIVES_UP) == [1], numbers),
    )  # fmt: skip


def show_who_noticed(fates: list[Fate]) -> None:
    """Print who noticed what, after how long here, and after how long with RQ's defaults (computed)."""
    print(f"{'trouble':<24}{'who notices':<30}{'here':>8}   {'sent':<6}with RQ's defaults")
    for fate in fates:
        who, default = WHO[fate.name]
        print(f"{fate.name:<24}{who:<30}{fate.after_s:>6.2f} s   {len(fate.sent):<6}{default}")


def show_fates(fates: list[Fate]) -> None:
    """All letters on one time line."""
    events = [Event(fate.name, kind, t) for fate in fates for kind in ("begun", "sent") for t in getattr(fate, kind)]
    for fate in fates:
        events += [Event(fate.name, "harmed", fate.harmed), Event(fate.name, "noticed", fate.noticed)]
        if fate.thawed is not None:
            events.append(Event(fate.name, "thawed", fate.thawed))
    bands = [Span(fate.name, fate.harmed, fate.noticed) for fate in fates if fate.name != REDIS]
    bands += [Span(REDIS, fate.harmed, fate.thawed, "") for fate in fates if fate.name == REDIS and fate.thawed]
    slowest = max(fate.after_s for fate in fates)
    title = f"Six troubles: some are noticed at once, some after {slowest:.1f} seconds"
    display(lanes.lanes(title, [fate.name for fate in fates], events, bands))
