"""The arena: what jitter buys and what it does not; each claim can fail."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from demo_workers.records.run import Run
from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries.arena import JITTERED, POLICIES, Score
from tests.lessons.retries.paper import PAPER, played

SCORES = retries.arena(PAPER)


def changed(policy: str, **wrong: float) -> dict[str, Score]:
    """One score with a wrong figure."""
    return SCORES | {policy: SCORES[policy]._replace(**wrong)}  # type: ignore[arg-type]  # fields by their names


BAD: dict[str, dict[str, Score]] = {
    "the most calls": changed("immediate", served=90),
    "lower peaks": changed("equal", loudest=1000),
    "serves nearly all": changed("full", served=50),
    "between its spikes": changed("exponential", served=100),
    "more out of the workers": changed("decorrelated", last_s=0.5),
}


def test_the_notebooks_own_tape_bears_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a number in the lines; the table has every policy."""
    retries.check_arena(PAPER, SCORES)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 5
    assert not any(letter.isdigit() for letter in lines)
    runs = played()
    retries.show_arena(SCORES, runs, retries.twins(PAPER, runs))
    said = capsys.readouterr().out
    assert all(policy in said for policy in POLICIES)


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_crowd_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_arena(PAPER, BAD[claim])


def test_twins_of_a_run_say_the_same() -> None:
    """The twin of a twin's run is that run again."""
    runs = played()
    retries.check_live_arena(runs, retries.twins(PAPER, runs))


BAD_PAIRS: dict[str, Callable[[], tuple[dict[str, Run], dict[str, Run]]]] = {
    "about as many calls": lambda: (played(), played() | {"fixed": _without_retries()}),
    "the flattest": lambda: (played() | {"full": played()["fixed"]}, played()),
}


def _without_retries() -> Run:
    return PAPER.simulate(played()["fixed"].scenario.replace("retry.policy", "none"))


@pytest.mark.parametrize("claim", BAD_PAIRS)
def test_each_claim_about_the_pair_can_fail(claim: str) -> None:
    """By the one run that is another."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_live_arena(*BAD_PAIRS[claim]())


def test_more_attempts_serve_fewer_on_any_tapes() -> None:
    """Three times three of them."""
    for _ in range(3):
        first = random.randrange(10**6)
        shares = retries.more_attempts(PAPER, seeds=range(first, first + 3))
        assert all(np.mean(found[1]) > np.mean(found[n]) for found in shares.values() for n in (2, 4)), first


def test_more_attempts_serve_fewer(capsys: pytest.CaptureFixture[str]) -> None:
    """On the notebook's own tape, whatever the policy; the picture says so."""
    shares = retries.more_attempts(PAPER)
    retries.check_attempts(shares)
    retries.show_attempts(shares)
    assert capsys.readouterr().out.count("✓") == 2


GOOD_SHARES = {policy: {1: [0.4, 0.5], 2: [0.2, 0.3], 4: [0.15, 0.25]} for policy in ("fixed", *JITTERED)}


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [("served less often", {1: [0.4], 2: [0.39], 4: [0.15]}), ("matters less", {1: [0.9], 2: [0.7], 4: [0.8]})],
)
def test_each_claim_about_attempts_can_fail(claim: str, wrong: dict[int, list[float]]) -> None:
    """By the one policy that does otherwise."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_attempts(GOOD_SHARES | {"full": wrong})
