"""The exercise: a retry policy is graded in the twin, and takes over in a live run."""

from __future__ import annotations

import random

import pytest

from demo_workers.errors import PolicyError
from demo_workers.policies.custom import FAILURES, Failure, NextTry, checked_wait
from lessons import retries
from lessons.retries import Lesson
from lessons.retries.exercises import CLASS_SEED, at_once, reference


def test_the_reference_beats_retries_at_once_on_any_class_seed() -> None:
    """Whatever the instructor's number; and the reader's own function is what is graded."""
    for class_seed in (CLASS_SEED, *random.sample(range(10**6), 3)):
        graded = retries.compare_retries(reference, class_seed=class_seed)
        assert graded.yours == graded.reference
        assert graded.reference.share > graded.naive.share + 0.08, class_seed
        assert graded.reference.share > 0.85


def test_waiting_longer_and_longer_is_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    """Exponential backoff with full jitter is better than at once, and not as good as the reference."""
    graded = retries.compare_retries(lambda failure: failure.rng.uniform(0, 2.0**failure.attempt))
    assert graded.naive.share < graded.yours.share < graded.reference.share
    retries.show_grade(graded)
    assert "of the feasible" in capsys.readouterr().out


def test_giving_up_is_no_better_than_at_once() -> None:
    """Within a burst whoever tries again at once is refused again."""
    graded = retries.compare_retries(lambda failure: None)
    assert abs(graded.yours.share - graded.naive.share) < 0.05


@pytest.mark.parametrize("policy", [at_once, reference])
def test_the_policies_answer_whatever_they_are_told(policy: NextTry) -> None:
    """On all examples that a reader's function is tried on before it runs."""
    for failure in FAILURES:
        checked_wait(policy(failure))


@pytest.mark.live
@pytest.mark.timeout(180)
async def test_the_same_function_takes_over_in_a_live_run(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the steering log in mid-run, and the books balance; a mistake is the reader's to see."""

    def next_try(failure: Failure) -> float | None:
        return failure.rng.uniform(0.5, 2.0)

    run = await retries.try_live(lesson, next_try)
    assert run.ledger.balanced
    assert [entry.value for entry in run.steering if entry.knob == "next_try"] == ["next_try"]
    assert "the books balance" in capsys.readouterr().out
    with pytest.raises(PolicyError, match="must be seconds"):
        await retries.try_live(lesson, lambda failure: -1.0)
