"""Section c: one freeze, two accounts of it, and each claim about them can fail."""

from __future__ import annotations

import asyncio

import pytest

from demo_workers.errors import LabError
from lessons import trade_offs
from lessons.check.claims import ClaimError
from lessons.trade_offs import Lesson
from lessons.trade_offs.freeze import CALM, Seen, Send, percentile
from lessons.trade_offs.lesson import LIKE_S, queued

SENT = 200


async def ask_and_wait(send: Send, latencies: list[float]) -> None:
    """As the notebook has it."""
    loop = asyncio.get_running_loop()
    for _ in range(SENT):
        sent = loop.time()
        await send()
        latencies.append(loop.time() - sent)


@pytest.mark.live
@pytest.mark.timed
async def test_the_freeze_is_so_on_a_real_queue(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice in a row: the thawed worker is the one that was frozen, and it works on."""
    workers = lesson.stack.workforce.pids
    for _ in range(2):
        seen = await trade_offs.freeze_for_both(lesson, ask_and_wait)
        trade_offs.check_freeze(seen)
        assert len(seen.tester) == SENT
        assert seen.users_due_s == sorted(seen.users_due_s)
    assert lesson.stack.workforce.pids == workers
    trade_offs.show_freeze(seen)
    assert "✗" not in capsys.readouterr().out


@pytest.mark.live
async def test_a_mistake_in_the_tester_is_told(lesson: Lesson) -> None:
    """The reader's own error comes through, too few requests are named, and the worker is not left frozen."""

    async def mistaken(send: Send, latencies: list[float]) -> None:
        raise ZeroDivisionError

    async def lazy(send: Send, latencies: list[float]) -> None:
        latencies.append(await send())  # type: ignore[arg-type]  # seconds, as it happens

    async def late(send: Send, latencies: list[float]) -> None:
        latencies += [0.0] * CALM
        await asyncio.sleep(0.2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await trade_offs.freeze_for_both(lesson, mistaken)
    with pytest.raises(LabError, match="must be more before the freeze"):
        await trade_offs.freeze_for_both(lesson, lazy)
    with pytest.raises(ZeroDivisionError):
        await trade_offs.freeze_for_both(lesson, late, freeze_s=0.5)
    async with lesson.http() as http:
        assert await queued(http, LIKE_S) > 0


def seen(*, tester_hit: int = 1, users_hit: int = 30, tester_s: float = 0.005, worst_s: float = 1.5) -> Seen:
    """Two accounts of a freeze of a second and a half."""
    testers = [tester_s] * (SENT - tester_hit) + [worst_s] * tester_hit
    users = [0.005] * (80 - users_hit) + [1.5] * users_hit
    return Seen(testers, users, [n / 10 for n in range(80)], 1.5)


def test_true_accounts_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine, but for the name of the percentile."""
    trade_offs.check_freeze(seen())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 4
    assert not any(letter.isdigit() for letter in lines.replace("p99", ""))
    assert trade_offs.apart(seen()) == "5 ms for the tester, 1500 ms for the users"


BAD = {
    "both met the freeze": seen(worst_s=1.0),
    "one request in a hundred at most": seen(tester_hit=4),
    "many times as often": seen(users_hit=1),
    "several times the tester's": seen(tester_s=0.6),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """Each by accounts of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_freeze(BAD[claim])


def test_a_percentile_is_one_of_the_latencies() -> None:
    """The nearest rank: of a hundred the ninety-ninth, of few the worst."""
    hundred = [float(n) for n in range(100, 0, -1)]
    assert percentile(hundred, 0.99) == 99
    assert percentile(hundred, 0.5) == 50
    assert percentile(hundred, 1) == 100
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3
