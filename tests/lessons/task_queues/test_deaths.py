"""Section c ★: who notices what, and what is done twice; each check can fail."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

import pytest
from rq.cli.helpers import get_redis_from_config

from lessons import task_queues
from lessons.check.claims import ClaimError
from lessons.task_queues import Lesson, check_fates, show_fates, show_who_noticed
from lessons.task_queues.deaths import WORK_S, WORKERS
from lessons.task_queues.fates import (
    EXCEPTION,
    FROZEN,
    GIVES_UP,
    HORSE,
    NO_RETRY,
    REDIS,
    TIME_OUT,
    WHO,
    WORKER,
    Fate,
)
from lessons.task_queues.on_stage import make_view


@pytest.mark.live
@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_letters_meet_their_fates(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The star of the notebook, and everything that it says of it; the flow view was told of each letter's way."""
    view = make_view(WORKERS, WORK_S)
    fates = await task_queues.six_troubles(lesson, view=view)
    show_fates(fates)
    show_who_noticed(fates)
    print(fates)
    capsys.readouterr()
    check_fates(fates)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    counts = asdict(view.counts)
    # four were sent by three workers: one of them had two; five came back; the mistake, the time-out and one without
    # a retry failed
    expected = {"sent": 6, "held": 6, "returned": 5, "delivered": 11, "done": 4, "twice": 1, "failed": 3, "lost": 0}
    assert {name: counts[name] for name in expected} == expected
    assert (counts["in_queue"], counts["at_work"]) == (0, 0)


@pytest.mark.live
@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_letter_is_unaccounted_for_whatever_the_moment(lesson: Lesson) -> None:
    """Six troubles at random moments: each letter was sent or has failed, and each double has a reason."""
    for _ in range(2):
        moments = {name: random.uniform(0.02, WORK_S - 0.1) for name in WHO}
        fates = await task_queues.six_troubles(lesson, moments=moments)
        assert [fate.name for fate in fates] == list(WHO)
        for fate in fates:
            assert fate.accounted, (moments, fates)
            assert fate.explained, (moments, fates)
            assert fate.status in ("finished", "failed"), (moments, fates)


def test_the_client_of_rqs_own_command_gives_up_at_once() -> None:
    """What the notebook says of RQ as it comes: it tries nothing again when its connection breaks."""
    client = get_redis_from_config({"REDIS_URL": "redis://localhost:6379/0"})
    connection = client.connection_pool.make_connection()
    assert connection.retry.get_retries() == 0


def fate(name: str, begun: int, sent: int, after_s: float, status: str = "finished") -> Fate:
    """One that began at second 0 and met its trouble at second 1."""
    thawed = 1 + after_s if name in (FROZEN, REDIS, GIVES_UP) else None
    kept = "started" if name in (REDIS, GIVES_UP) else ""
    return Fate(name, tuple(map(float, range(begun))), tuple([9.0] * sent), 1.0, 1 + after_s, thawed, status, "", kept)


TRUE = {
    EXCEPTION: fate(EXCEPTION, 2, 0, 0.02, "failed"),
    TIME_OUT: fate(TIME_OUT, 2, 0, 0.02, "failed"),
    HORSE: fate(HORSE, 2, 1, 0.03),
    WORKER: fate(WORKER, 2, 1, 3.0),
    NO_RETRY: fate(NO_RETRY, 1, 0, 3.0, "failed"),
    FROZEN: fate(FROZEN, 2, 2, 3.2),
    REDIS: fate(REDIS, 1, 1, 1.1),
    GIVES_UP: fate(GIVES_UP, 2, 1, 4.1),
}

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "before any dead or frozen": (WORKER, {"noticed": 1.01}),
    "tried a second time": (HORSE, {"begun": (0.0,)}),
    "without Retry": (NO_RETRY, {"begun": (0.0, 1.0)}),
    "was never sent": (NO_RETRY, {"sent": (2.0,)}),
    "does not help": (TIME_OUT, {"sent": (2.0,)}),
    "was sent, once": (WORKER, {"sent": (2.0, 3.0)}),
    "was sent twice": (FROZEN, {"sent": (2.0,)}),
    "still on record": (REDIS, {"kept": ""}),
    "nobody began it anew": (REDIS, {"begun": (0.0, 1.0)}),
    "client tried again": (REDIS, {"sent": ()}),
    "has ended": (GIVES_UP, {"begun": (0.0,)}),
}


def test_true_fates_pass() -> None:
    """As they are on an idle machine."""
    check_fates(list(TRUE.values()))


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_fates_can_fail(claim: str) -> None:
    """By one letter that fared otherwise."""
    name, changes = BAD[claim]
    with pytest.raises(ClaimError, match=claim):
        check_fates([one._replace(**changes) if one.name == name else one for one in TRUE.values()])


def test_a_letter_is_accounted_for_when_it_was_sent_or_its_job_has_failed() -> None:
    """One of which nobody can say anything is not."""
    assert all(one.accounted for one in TRUE.values())
    assert not TRUE[WORKER]._replace(sent=(), status="started").accounted


def test_a_double_needs_a_reason() -> None:
    """A frozen machine that went on, or a death just after the sending; another one is a mistake of ours."""
    assert [TRUE[FROZEN].doubles, TRUE[FROZEN].explained] == [1, True]
    assert not TRUE[FROZEN]._replace(sent=(7.0, 8.0, 9.0)).explained
    sent_first = TRUE[HORSE]._replace(sent=(0.99, 3.0))
    assert [sent_first.doubles, sent_first.explained] == [1, True]
    assert not TRUE[HORSE]._replace(sent=(2.0, 3.0)).explained
