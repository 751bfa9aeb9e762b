"""Section c: looking and then pushing passes the limit, one step does not, and refusals have two words."""

from __future__ import annotations

import pytest
import redis

from lessons import back_pressure
from lessons.back_pressure import Lesson
from lessons.back_pressure.doors import Doors, Heard
from lessons.back_pressure.race import LIMIT, RACES, Raced
from lessons.check.claims import ClaimError
from tests.processes import children

SCRIPT = """
if redis.call('LLEN', KEYS[1]) >= 20 then return 0 end
return redis.call('RPUSH', KEYS[1], ARGV[1])
"""


def look_then_push(connection: redis.Redis, order: str) -> None:
    """As the notebook has it."""
    if connection.llen("orders") < 20:  # type: ignore[operator]  # a number, since the client is blocking
        connection.rpush("orders", order)


@pytest.mark.live
@pytest.mark.timed
async def test_the_races_end_as_the_notebook_says() -> None:
    """Threads with the reader's own functions, and real RQ jobs; no server is left."""
    naive = await back_pressure.race(look_then_push)
    one_step = await back_pressure.race(lambda connection, order: connection.eval(SCRIPT, 1, "orders", order))
    naive_rq, exact_rq = [await back_pressure.race_for_places(policy) for policy in ("naive", "reject")]
    back_pressure.check_race(naive, one_step, naive_rq, exact_rq)
    assert len(naive.inside) == len(exact_rq.inside) == RACES
    assert children() == []


@pytest.mark.live
async def test_a_mistake_in_a_producer_is_told(lesson: Lesson) -> None:
    """The reader's own error, not that others waited in vain for this one; and soon."""

    def mistaken(connection: redis.Redis, order: str) -> None:
        raise ZeroDivisionError(order)

    with pytest.raises(ZeroDivisionError):
        await back_pressure.race(mistaken)


TRUE = (Raced(64, (24, 32)), Raced(64, (20, 20)), Raced(64, (20, 31)), Raced(64, (20, 20)))
BAD_RACES: dict[str, tuple[Raced, Raced, Raced, Raced]] = {
    "more orders than places": (Raced(18, (24,)), *TRUE[1:]),
    "look, then push": (Raced(64, (20, 20)), *TRUE[1:]),
    "in one step": (TRUE[0], Raced(64, (20, 21)), *TRUE[2:]),
    "with real RQ jobs": (*TRUE[:2], Raced(64, (20, 20)), TRUE[3]),
    "the workbook's script": (*TRUE[:3], Raced(64, (20, 19))),
}


def test_true_races_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a number."""
    back_pressure.check_race(*TRUE)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 5
    assert not any(letter.isdigit() for letter in lines)
    assert f"limit {LIMIT}" in str(TRUE[0])


@pytest.mark.parametrize("claim", BAD_RACES)
def test_each_claim_about_races_can_fail(claim: str) -> None:
    """By the one race that ended otherwise."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_race(*BAD_RACES[claim])


@pytest.mark.live
async def test_the_real_gateway_answers_as_the_notebook_says(lesson: Lesson) -> None:
    """Twice in a row: the first visit leaves the door as it was."""
    for _ in range(2):
        back_pressure.check_doors(await back_pressure.knock(lesson))


def heard(*statuses: int, later: str = "1") -> list[Heard]:
    """Answers of these statuses."""
    return [Heard("8", status, later if status != 202 else "", {}) for status in statuses]


BAD_DOORS = {
    "the third hears 503": Doors(heard(202, 202, 202), heard(202, 429, 202)),
    "hears 429": Doors(heard(202, 202, 503), heard(202, 503, 202)),
    "the next client is let in": Doors(heard(202, 202, 503), heard(202, 429, 429)),
    "when to come again": Doors(heard(202, 202, 503, later=""), heard(202, 429, 202)),
    "in whole seconds": Doors(heard(202, 202, 503), heard(202, 429, 202, later="0.5")),
}


def test_true_doors_pass() -> None:
    """As the gateway answers."""
    doors = Doors(heard(202, 202, 503), heard(202, 429, 202))
    back_pressure.check_doors(doors)
    assert "503, Retry-After: 1" in str(doors.full[2])


@pytest.mark.parametrize("claim", BAD_DOORS)
def test_each_claim_about_doors_can_fail(claim: str) -> None:
    """By the one answer that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        back_pressure.check_doors(BAD_DOORS[claim])
