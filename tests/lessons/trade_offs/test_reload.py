"""Section b: behind a backlog the author misses the own post, four repairs help, and each claim can fail."""

from __future__ import annotations

import pytest

from lessons import trade_offs
from lessons.check.claims import ClaimError
from lessons.trade_offs import Lesson
from lessons.trade_offs.reload import FOLLOWERS, POSTS, WAYS, Missed, Reload

ONCE = (1,) * (FOLLOWERS + 1)
SEEN = Reload(0.01, here=True, phone=True, asked=1, in_the_end=ONCE)
GONE = SEEN._replace(here=False, phone=False)


@pytest.mark.live
@pytest.mark.timed
async def test_it_is_so_on_a_real_queue(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The bug and its repairs, in either order: nothing of one is left for the other."""
    trade_offs.check_repairs(await trade_offs.repair(lesson))
    missed = await trade_offs.reload_after_post(lesson)
    trade_offs.check_missed(missed)
    found = await trade_offs.repair(lesson)
    trade_offs.check_repairs(found)
    trade_offs.show_repairs(found)
    said = capsys.readouterr().out
    assert "✗" not in said
    assert all(way in said for way in WAYS)


def repaired(**changes: Reload) -> dict[str, Reload]:
    """As it should be, but for these."""
    found = {
        "local echo": SEEN._replace(phone=False),
        "own write": SEEN,
        "read-through": SEEN._replace(asked=2),
        "wait": SEEN._replace(answered_s=1.0),
    }
    return found | {name.replace("_", " "): one for name, one in changes.items()}


def test_true_ones_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are the same on every machine."""
    missed = Missed([SEEN] * POSTS, [GONE] * POSTS)
    trade_offs.check_missed(missed)
    trade_offs.check_repairs(repaired())
    lines = capsys.readouterr().out
    assert lines.count("✓") == 9
    assert not any(letter.isdigit() for letter in lines)
    assert str(missed).endswith("4 of 4 missed their own post")


BAD_MISSED = {
    "everybody missed": Missed([SEEN] * POSTS, [GONE, SEEN]),
    "a quick test says nothing": Missed([GONE] * POSTS, [GONE] * POSTS),
    "nothing was lost": Missed([SEEN], [GONE._replace(in_the_end=(1, 1, 0))]),
}


@pytest.mark.parametrize("claim", BAD_MISSED)
def test_each_claim_about_the_bug_can_fail(claim: str) -> None:
    """Each by posts of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_missed(BAD_MISSED[claim])


BAD_REPAIRS = {
    "finds the post on reloading": repaired(own_write=SEEN._replace(here=False)),
    "the local echo is in one browser": repaired(local_echo=SEEN),
    "on the phone too": repaired(wait=SEEN._replace(answered_s=1.0, phone=False)),
    "asks more with each reload": {**repaired(), "read-through": SEEN},
    "other people's work": repaired(wait=SEEN._replace(answered_s=0.005)),
    "once on every timeline": repaired(own_write=SEEN._replace(in_the_end=(1, 1, 1, 1, 1, 2))),
}


@pytest.mark.parametrize("claim", BAD_REPAIRS)
def test_each_claim_about_the_repairs_can_fail(claim: str) -> None:
    """By the one repair that did otherwise."""
    with pytest.raises(ClaimError, match=claim):
        trade_offs.check_repairs(BAD_REPAIRS[claim])
