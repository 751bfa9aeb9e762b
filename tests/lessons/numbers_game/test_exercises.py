"""The exercises: a rule for workers is graded in the twin, and a number is right or not."""

from __future__ import annotations

import math
import random

import pytest

from demo_workers.errors import ScenarioError
from lessons import numbers_game
from lessons.numbers_game.exercises import CLASS_SEED, MOST_WORKERS, just_enough, reference, settings
from lessons.theory import erlang

CLASS_SEEDS = (CLASS_SEED, *random.sample(range(10**6), 2))


@pytest.mark.parametrize("class_seed", CLASS_SEEDS, ids=["the book's", "a random one", "another"])
def test_the_reference_keeps_every_promise_and_no_reserve_breaks_most(class_seed: int) -> None:
    """Whatever the instructor's number; and the reader's own function is what is graded."""
    staffed = numbers_game.compare_staffing(reference, class_seed=class_seed)
    assert staffed.yours == staffed.reference
    assert all(one.points == 1 for one in staffed.reference)
    assert sum(one.points for one in staffed.naive) <= 1


def test_a_rule_with_the_root_is_between_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Some reserve is better than none, and twice as many workers as needed cost half of the points."""

    def twice(arrival_rate: float, service_time_s: float, promise: float) -> int:
        return min(MOST_WORKERS, 2 * reference(arrival_rate, service_time_s, promise))

    numbers_game.show_staffing(numbers_game.compare_staffing(twice))
    said = capsys.readouterr().out
    assert "you 5" in said
    assert "It kept every promise." in said


def test_the_answer_of_the_notebook_is_the_reference() -> None:
    """Word for word as it is folded there."""

    def workers_needed(arrival_rate: float, service_time_s: float, promise: float) -> int:
        a = arrival_rate * service_time_s
        workers = int(a) + 1
        while erlang.c(workers, a) > promise:
            workers += 1
        return workers

    staffed = numbers_game.compare_staffing(workers_needed)
    assert staffed.yours == staffed.reference


def test_a_broken_promise_is_told_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """The first one."""
    numbers_game.show_staffing(numbers_game.compare_staffing(just_enough))
    said = capsys.readouterr().out
    assert "No better than no rule." in said
    assert "It failed at" in said


@pytest.mark.parametrize("answer", [0, 65, 19.0, None, True])
def test_nonsense_is_told_with_the_functions_name(answer: object) -> None:
    """And with the bounds."""

    def workers_needed(arrival_rate: float, service_time_s: float, promise: float) -> object:
        return answer

    with pytest.raises(ScenarioError, match=r"workers_needed\(…\) = .* at least 1 and at most 64"):
        numbers_game.compare_staffing(workers_needed)  # type: ignore[arg-type]  # the point


def test_settings_of_a_class_are_the_same_for_all_and_within_a_machine() -> None:
    """Others for another number; the reference needs no more workers than may be asked for."""
    assert settings(1) == settings(1)
    assert not set(settings(1)) & set(settings(2))
    for one in (setting for seed in range(200) for setting in settings(seed)):
        assert math.floor(one.arrival_rate * one.service_time_s) < reference(*one[:3]) <= MOST_WORKERS
        assert 1 <= one.scenario(1).load.duration_s <= 3600


def test_a_number_is_right_or_sent_to_the_hints(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve minutes at 75 % are thirty-six."""
    numbers_game.say_minutes(36)
    numbers_game.say_minutes(12)
    assert capsys.readouterr().out == "That is it.\n12 minutes is not it: see the hints.\n"
