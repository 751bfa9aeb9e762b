"""Chapter 00's verbs: a Post button, a burst, and a limit that serves more people."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from IPython.display import HTML, display

from demo_workers.errors import LabError
from demo_workers.records.events import ClientOutcome
from demo_workers.records.measures import requests_in_time
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.stack import Stack
from lessons import timelines
from lessons.chapter import Chapter
from lessons.check import doctor
from lessons.check.claims import Claim, check
from lessons.show import figures
from lessons.show.panel import Panel
from lessons.show.post_box import PostBox, Progress

FOLLOWERS = 1000
WRITE_MS = 1.2
"""The pause of a timeline database in another building, added to each write and said to the reader."""

LONGEST_INLINE_S = 60.0

WORKERS, SERVICE_S, PATIENCE_S, LIMIT = 3, 0.05, 1.0, 20
CALM, BURST = 0.75, 2.0
"""Arrivals as a multiple of what the workers can do."""


@dataclass(frozen=True)
class Posted:
    """What the author of a post saw.

    Attributes:
        how: ``"inline"`` or ``"queued"``.
        author_waited_s: seconds until the author had an answer.
        done_s: seconds until every follower had the post.
        followers: timelines that really hold the post now.
    """

    how: str
    author_waited_s: float
    done_s: float
    followers: int

    def __str__(self) -> str:
        return (
            f"{self.how}: the author waited {self.author_waited_s:.3f} s; "
            f"{self.followers} followers had the post after {self.done_s:.2f} s"
        )


class Chirp(Chapter):
    """A tiny social network on the reader's own machine; made by ``open_chirp``."""

    def __init__(self, stack: Stack, overhead_s: float) -> None:
        super().__init__(stack, WORKERS)
        self.overhead_s = overhead_s

    @property
    def capacity(self) -> float:
        """Posts per second that the workers can do, RQ's own cost per job included."""
        return WORKERS / (SERVICE_S + self.overhead_s)

    async def post_inline(self, text: str, followers: int = FOLLOWERS, progress: Progress | None = None) -> Posted:
        """The web server fans the post out itself, and the author waits for it.

        Args:
            text: the post.
            followers: how many have to get it.
            progress: called with the share done (0 to 1), looked up in Redis: the answer comes only at the end.

        Raises:
            LabError: the gateway refused.
        """
        await self.stack.start(WORKERS)
        with self.redis() as connection:
            async with self.http() as http:
                start = time.monotonic()
                order = {"task": "fan_out", "args": _fan_out(text, followers)}
                posting = asyncio.create_task(http.post("/sync", json=order, timeout=LONGEST_INLINE_S))
                try:
                    if progress is not None:
                        await timelines.watch(posting, connection, self.stack.queue, text, followers, progress)
                    answer = await posting
                finally:
                    posting.cancel()
                waited = time.monotonic() - start
            if answer.status_code != 200:
                raise LabError(f"POST /sync = {answer.status_code}: must be 200. {answer.text}")
            return Posted("inline", waited, waited, timelines.with_post(connection, self.stack.queue, text, followers))

    async def post_queued(self, text: str, followers: int = FOLLOWERS, progress: Progress | None = None) -> Posted:
        """The web server leaves the fan-out to a worker; the author has a 202 at once.

        Args:
            text: the post.
            followers: how many have to get it.
            progress: called with the share done (0 to 1) while the worker is at it.

        Raises:
            LabError: the gateway refused, or the job failed.
        """
        async with self.http() as http:
            start = time.monotonic()
            answer = await http.post("/jobs", json={"task": "fan_out", "args": _fan_out(text, followers)})
            waited = time.monotonic() - start
            if answer.status_code != 202:
                raise LabError(f"POST /jobs = {answer.status_code}: must be 202. {answer.text}")
            job = await _until_done(http, answer.headers["location"], progress)
        done = time.monotonic() - start
        if job["status"] != "finished":
            raise LabError(f"job {job['id']} = {job['status']!r}: must be finished. {job.get('error', '')}")
        with self.redis() as connection:
            return Posted("queued", waited, done, timelines.with_post(connection, self.stack.queue, text, followers))

    def burst(self, *, limit: int | None = None, short: bool = False, seed: int = 7) -> Scenario:
        """Three quarters of the capacity, then twice the capacity, then three quarters again.

        Both have three seconds of burst, so that the backlog outlasts the patience on any tape: the short form lasts
        four and a half seconds, to read on, and the full one twenty, to see the end of it.
        """
        start, length, duration = (0.5, 3.0, 4.5) if short else (3.0, 3.0, 20.0)
        load = Load(
            kind="spike",
            arrival_rate=CALM * self.capacity,
            spike_rate=BURST * self.capacity,
            spike_start_s=start,
            spike_length_s=length,
            duration_s=duration,
        )
        return Scenario(
            load=load,
            service=Service(service_time_s=SERVICE_S, workers=WORKERS),
            admission=Admission(limit=limit),
            retry=Retry(timeout_s=PATIENCE_S),
            seed=seed,
            drain_s=PATIENCE_S + 0.1 if short else 5.0,  # nobody waits for longer than that
        )


async def open_chirp() -> Chirp:
    """Start Redis, gateway and three workers, and measure what RQ costs per job here (kept for the next time).

    Running it again replaces what the first call started.
    """
    stack = Stack("00_start_here")
    await stack.start(WORKERS)
    chirp = Chirp(stack, (await stack.calibrate(WORKERS)).overhead_s)
    await chirp.start()
    return chirp


async def show_doctor() -> None:
    """The doctor's findings, folded; unfolded when something needed is missing."""
    checks = await doctor.examine()
    bad = [check for check in checks if check.ok is False]
    title = f"{len(bad)} thing(s) to mend" if bad else "Everything needed is here"
    rows = "".join(f"<li>{check}</li>" for check in checks)
    display(HTML(f"<details {'open' if bad else ''}><summary>Doctor: {title}</summary><ul>{rows}</ul></details>"))


async def _until_done(http: httpx.AsyncClient, location: str, progress: Progress | None) -> dict[str, Any]:
    """Poll a job as a browser would, ten times a second."""
    while True:
        job: dict[str, Any] = (await http.get(location)).json()
        if progress is not None:
            done = job.get("progress") or {}
            progress(done.get("done", 0) / max(done.get("total", 1), 1))
        if job["status"] in ("finished", "failed", "canceled", "stopped"):
            return job
        await asyncio.sleep(0.1)


def _fan_out(text: str, followers: int) -> dict[str, Any]:
    return {"post": text, "author": "you", "followers": followers, "write_ms": WRITE_MS}


def post_box(chirp: Chirp) -> None:
    """Chirp's text box, to try both ways by hand."""

    async def post(text: str, queued: bool, progress: Progress) -> str:
        send = chirp.post_queued if queued else chirp.post_inline
        return str(await send(text, progress=progress))

    PostBox(post).show()


def burst_panel(chirp: Chirp) -> Panel:
    """The burst without a limit; Start plays its full form."""
    question = "A burst of twice the capacity: when is it normal again?"
    return Panel("00 burst", chirp.stack, chirp.burst(), open_ended=False, question=question, noun="posts")


def limit_panel(chirp: Chirp, burst: Panel) -> Panel:
    """The same burst with the limit, and the run without it as a ghost."""
    question = f"Refuse when {LIMIT} are inside: more posts on time, or fewer?"
    scenario = chirp.burst(limit=LIMIT)
    return Panel("00 limit", chirp.stack, scenario, open_ended=False, ghost=burst, question=question, noun="posts")


def show_compared(before: Run, after: Run) -> None:
    """Both runs in one picture."""
    display(figures.compare(before, after, noun="posts"))


def more_in_time(before: Run, after: Run) -> int:
    """How many more posts were answered in time in the second run."""
    return requests_in_time(after) - requests_in_time(before)


def check_posts(inline: Posted, queued: Posted) -> None:
    """What section 1 says.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{inline}; {queued}"
    check(
        Claim("inline, the author waited for more than a second", inline.author_waited_s > 1, numbers),
        Claim(
            "queued, the author had an answer in less than a tenth of that",
            queued.author_waited_s < inline.author_waited_s / 10,
            numbers,
        ),
        Claim(
            "both times every follower has the post",
            inline.followers == FOLLOWERS and queued.followers == FOLLOWERS,
            numbers,
        ),
        Claim("the work itself did not get faster", queued.done_s > 0.7 * inline.done_s, numbers),
    )


def check_burst(run: Run) -> None:
    """What section 2 says.

    Raises:
        ClaimError: it is not so.
    """
    seen, counts = lateness(run), run.ledger.counts
    requests = counts["requests"]
    check(
        Claim("no worker died", run.worker_deaths == 0, f"{run.worker_deaths} died"),
        Claim(
            "nobody was refused and nothing failed",
            counts["shed"] + counts["failed"] + counts["errored"] + counts["lost"] == 0,
            str(counts),
        ),
        Claim("a third of the posts or more came late", seen.late >= requests / 3, f"{seen.late} of {requests}"),
        Claim("posts were still late after the burst", seen.late_after_s > 0.5, f"{seen.late_after_s:.1f} s"),
        _books(run),
    )


def check_limit(before: Run, after: Run) -> None:
    """What section 3 says: the same requests came, and saying no served more of them in time.

    Raises:
        ClaimError: it is not so.
    """
    more, in_time, refused = more_in_time(before, after), requests_in_time(after), lateness(after).refused
    check(
        Claim("the very same posts came", same_tape(before, after), "due times or service times differ"),
        Claim("some were refused", refused > 0, f"{refused}"),
        Claim("more were on time", more > 0, f"{more} more"),
        Claim("fewer were refused than served in time", refused < in_time, f"{refused} refused, {in_time} in time"),
        _books(after),
    )


def _books(run: Run) -> Claim:
    return Claim("the books of this run balance, and every witness agrees", run.ledger.balanced, run.ledger.table())


def same_tape(a: Run, b: Run) -> bool:
    """Whether both runs met the same requests at the same times, as their clients intended them."""
    first_a, first_b = (run.attempts[run.attempts["attempt"] == 1] for run in (a, b))
    return len(first_a) == len(first_b) and bool(np.all(first_a["due_s"] == first_b["due_s"]))


@dataclass(frozen=True)
class Lateness:
    """What a burst did to the people who came.

    Attributes:
        in_time, late, refused: posts by what became of them; late ones may be done by now, their author has gone.
        deepest: most jobs inside.
        backlog: jobs inside when the burst ended.
        drain_s: how long working that off takes by arithmetic, backlog/(cμ − λ).
        late_after_s: how long after the burst posts were still late, as far as the run goes.
    """

    in_time: int
    late: int
    refused: int
    deepest: int
    backlog: int
    drain_s: float
    late_after_s: float


def lateness(run: Run) -> Lateness:
    """Read off a run of ``Chirp.burst`` how late people were."""
    load = run.scenario.load
    end = load.spike_start_s + load.spike_length_s
    ends = run.requests
    late = ends[ends["client_outcome"] == ClientOutcome.TIMED_OUT]
    inside = run.attempts[~np.isnan(run.attempts["admitted_s"])]
    before = inside[inside["admitted_s"] <= end]
    backlog = int(before["depth_seen"][-1]) if len(before) else 0
    capacity = load.arrival_rate / CALM
    return Lateness(
        in_time=requests_in_time(run),
        late=len(late),
        refused=int(np.sum(ends["client_outcome"] == ClientOutcome.REFUSED)),
        deepest=int(np.max(inside["depth_seen"], initial=0)),
        backlog=backlog,
        drain_s=backlog / (capacity - load.arrival_rate),
        late_after_s=max(0.0, float(np.max(late["due_s"], initial=0.0)) - end),
    )


def still_late(run: Run) -> str:
    """When posts were on time again, in a phrase."""
    seen, load = lateness(run), run.scenario.load
    after = load.duration_s - load.spike_start_s - load.spike_length_s
    if seen.late_after_s > 0.9 * after:
        return f"not before the end of this run, {after:g} s after the burst"
    return f"{seen.late_after_s:.1f} s after it"


def show_drain(run: Run) -> None:
    """Print the arithmetic of working a backlog off."""
    seen, load = lateness(run), run.scenario.load
    capacity = load.arrival_rate / CALM
    spare = capacity - load.arrival_rate
    print(f"inside when the burst ended: {seen.backlog} posts")
    print(f"spare capacity cμ − λ: {capacity:.1f} − {load.arrival_rate:.1f} = {spare:.1f} posts per second")
    print(
        f"time to drain: {seen.backlog} / {spare:.1f} = {seen.drain_s:.1f} s, for a burst of {load.spike_length_s:g} s"
    )
