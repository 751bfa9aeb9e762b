"""Notebook 00's verbs: each thing it says is true of the real system, and each check can fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo_workers.errors import LabError, LoadGeneratorLagging
from demo_workers.queueing.tasks import decode_args
from demo_workers.records.directory import Steer
from demo_workers.records.events import Kind
from demo_workers.records.run import Run
from demo_workers.scenario import Scenario
from demo_workers.stack import Stack
from lessons import start_here
from lessons.check.claims import ClaimError
from lessons.start_here import LIMIT, PATIENCE_S, Chirp, Posted, check_burst, check_limit, check_posts, lateness
from tests.lessons.runs import modelled
from tests.processes import children

PAPER = Chirp(Stack("never started"), overhead_s=0.0)
"""To build scenarios with."""


@pytest.fixture
async def chirp(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chirp]:
    """Chirp as the notebook opens it, with places of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    chirp = await start_here.open_chirp()
    yield chirp
    await chirp.close()
    assert children() == []


async def played(chirp: Chirp, scenario: Scenario) -> Run:
    """A live run; played again when other work has kept the clients from their schedule."""
    for _ in range(2):
        try:
            return await chirp.stack.run(scenario)
        except LoadGeneratorLagging:
            continue
    return await chirp.stack.run(scenario)


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_limit_serves_more_posts_in_time(chirp: Chirp, capsys: pytest.CaptureFixture[str]) -> None:
    """The star of the notebook: two live pairs with random seeds, and everything it says of them."""
    for _ in range(2):
        seed = random.randrange(10**6)
        before = await played(chirp, chirp.burst(short=True, seed=seed))
        after = await played(chirp, chirp.burst(limit=LIMIT, short=True, seed=seed))
        numbers = f"seed {seed}: {lateness(before)} {lateness(after)}"
        assert start_here.more_in_time(before, after) > 0, numbers
        check_burst(before)
        check_limit(before, after)
        assert lateness(before).deepest > LIMIT >= lateness(after).deepest, numbers
    assert "✗" not in capsys.readouterr().out


@pytest.mark.live
@pytest.mark.timed
async def test_a_queued_post_answers_at_once_and_reaches_everybody(chirp: Chirp) -> None:
    """Inline the author waits for every write, queued for none; progress is told both ways."""
    told: dict[str, list[float]] = {"inline": [], "queued": []}
    inline = await chirp.post_inline("Hello", progress=told["inline"].append)
    queued = await chirp.post_queued("Hello again", progress=told["queued"].append)
    check_posts(inline, queued)
    assert inline.author_waited_s == inline.done_s
    assert "inline: the author waited" in str(inline)
    for shares in told.values():
        assert shares == sorted(shares)
        assert shares[-1] == 1
    assert any(0 < share < 1 for share in told["inline"])
    assert any(0 < share < 1 for share in told["queued"])


@pytest.mark.live
async def test_the_same_words_again_say_nothing_before_the_end(chirp: Chirp) -> None:
    """Timelines that began with them already tell no progress; the bar is full when the answer is there."""
    told: list[float] = []
    for _ in range(2):
        told.clear()
        assert (await chirp.post_inline("Twice", followers=200, progress=told.append)).followers == 200
    assert told == [1.0]


@pytest.mark.live
async def test_a_post_that_is_refused_says_so(chirp: Chirp) -> None:
    """Full, or not acceptable: the error has the status and the gateway's words; after that posting works again."""
    await chirp.stack.gateway.call("steer", admission={"limit": 1})
    at_work = asyncio.Event()
    first = asyncio.create_task(chirp.post_queued("first", followers=400, progress=lambda share: at_work.set()))
    await asyncio.wait_for(at_work.wait(), 10)
    with pytest.raises(LabError, match=r"POST /jobs = 503: must be 202.*The queue is full"):
        await chirp.post_queued("second", followers=200)
    assert (await first).followers == 400
    with pytest.raises(LabError, match=r"POST /jobs = 422: must be 202.*followers"):
        await chirp.post_queued("third", followers=0)
    with pytest.raises(LabError, match=r"POST /sync = 422: must be 200.*followers"):
        await chirp.post_inline("third", followers=0, progress=lambda share: None)
    await chirp.stack.gateway.call("steer", admission={})
    assert (await chirp.post_queued("fourth", followers=50)).followers == 50


@pytest.mark.live
async def test_after_closing_the_next_post_brings_it_back(chirp: Chirp) -> None:
    """The last cell of the notebook is not the end."""
    await chirp.close()
    assert children() == []
    assert (await chirp.post_queued("Hello", followers=20)).followers == 20


def test_the_bursts_differ_in_limit_and_length_alone() -> None:
    """Short or full it is the same burst, and the patience is the same."""
    short, full = PAPER.burst(short=True), PAPER.burst()
    assert (short.load.spike_rate, short.load.spike_length_s) == (full.load.spike_rate, full.load.spike_length_s)
    assert short.retry.timeout_s == full.retry.timeout_s == PATIENCE_S
    assert PAPER.burst(limit=LIMIT) == full.replace("admission.limit", LIMIT)
    assert PAPER.burst(short=True, seed=3) != short
    slow = Chirp(PAPER.stack, overhead_s=0.05)
    assert slow.burst().load.arrival_rate == pytest.approx(full.load.arrival_rate / 2)


def test_the_demanded_fan_out_is_one_the_gateway_accepts() -> None:
    """A thousand followers and the pause that the reader is told of."""
    args = {"post": "x", "author": "you", "followers": start_here.FOLLOWERS, "write_ms": start_here.WRITE_MS}
    assert decode_args("fan_out", args) == args


GOOD = Posted("inline", 2.0, 2.0, 1000), Posted("queued", 0.01, 2.1, 1000)
BAD_POSTS = {
    "more than a second": (Posted("inline", 0.9, 0.9, 1000), Posted("queued", 0.01, 1, 1000)),
    "less than a tenth": (GOOD[0], Posted("queued", 0.3, 2.1, 1000)),
    "every follower": (GOOD[0], Posted("queued", 0.01, 2.1, 999)),
    "every follower has": (Posted("inline", 2.0, 2.0, 0), GOOD[1]),
    "did not get faster": (GOOD[0], Posted("queued", 0.01, 1.0, 1000)),
}


def test_true_posts_pass() -> None:
    """Numbers as they are on an idle machine."""
    check_posts(*GOOD)


@pytest.mark.parametrize("claim", BAD_POSTS)
def test_each_claim_about_posts_can_fail(claim: str) -> None:
    """By the one number that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_posts(*BAD_POSTS[claim])


def burst(limit: int | None = None, seed: int = 7) -> Scenario:
    """The short burst on paper."""
    return PAPER.burst(limit=limit, short=True, seed=seed)


BAD_BURSTS: dict[str, Callable[[], Run]] = {
    "no worker died": lambda: modelled(burst(), steering=[Steer(1.0, "worker_died", "w0")]),
    "nobody was refused": lambda: modelled(burst(limit=LIMIT)),
    "a third of the posts": lambda: modelled(burst().replace("load.spike_rate", 10)),
    "still late after the burst": lambda: modelled(burst().replace("load.duration_s", 3.5)),
    "the books of this run": lambda: modelled(burst(), lose=Kind.ENDED),
}

BAD_LIMITS: dict[str, Callable[[], tuple[Run, Run]]] = {
    "the very same posts": lambda: (modelled(burst()), modelled(burst(limit=LIMIT, seed=8))),
    "some were refused": lambda: (modelled(burst()), modelled(burst())),
    "more were on time": lambda: (modelled(burst(limit=LIMIT)), modelled(burst(limit=LIMIT))),
    "fewer were refused": lambda: (modelled(burst()), modelled(burst(limit=1))),
    "the books of this run": lambda: (modelled(burst()), modelled(burst(limit=LIMIT), lose=Kind.ENDED)),
}


def test_a_true_burst_and_a_true_limit_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit, so that they are the same on every machine."""
    before, after = modelled(burst()), modelled(burst(limit=LIMIT))
    check_burst(before)
    check_limit(before, after)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 10
    assert not any(letter.isdigit() for letter in lines)


@pytest.mark.parametrize("claim", BAD_BURSTS)
def test_each_claim_about_the_burst_can_fail(claim: str) -> None:
    """Each by a run of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        check_burst(BAD_BURSTS[claim]())


@pytest.mark.parametrize("claim", BAD_LIMITS)
def test_each_claim_about_the_limit_can_fail(claim: str) -> None:
    """Each by a pair of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        check_limit(*BAD_LIMITS[claim]())


def test_lateness_counts_everybody_once() -> None:
    """In time, late or refused; the drain by arithmetic is about what the model needs."""
    run = modelled(PAPER.burst())
    seen = lateness(run)
    assert seen.in_time + seen.late + seen.refused == run.ledger.counts["requests"]
    assert seen.refused == 0
    assert seen.deepest >= seen.backlog > 100
    capacity = PAPER.capacity
    assert seen.drain_s == pytest.approx(seen.backlog / (capacity - run.scenario.load.arrival_rate))
    assert 0.3 * seen.drain_s < seen.late_after_s < 1.5 * seen.drain_s


def test_a_run_without_a_late_post_says_zero() -> None:
    """Nothing is divided by it."""
    seen = lateness(modelled(burst().replace("load.spike_rate", 1).replace("load.arrival_rate", 5)))
    assert (seen.late, seen.late_after_s) == (0, 0.0)


def test_what_is_said_of_the_end_of_lateness(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is too short to see it says so."""
    assert start_here.still_late(modelled(burst())).startswith("not before the end of this run")
    full = modelled(PAPER.burst(limit=60))
    assert start_here.still_late(full).endswith("s after it")
    start_here.show_drain(modelled(PAPER.burst()))
    assert "spare capacity cμ − λ: 60.0 − 45.0 = 15.0" in capsys.readouterr().out
