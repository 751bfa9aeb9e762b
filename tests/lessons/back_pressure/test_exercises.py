"""The exercises: a door is graded in the twin, decides live, and a promise is tried out."""

from __future__ import annotations

import random

import pytest

from demo_workers.errors import PolicyError
from demo_workers.policies.custom import DOORS, Door
from lessons import back_pressure
from lessons.back_pressure import Lesson
from lessons.back_pressure.exercises import CLASS_SEED, always, day, reference
from lessons.check.grading import Grade, failed_s, grade, seeds, sentence
from lessons.twin.simulate import simulate


def test_the_reference_beats_no_rule_on_any_class_seed() -> None:
    """Whatever the instructor's number; and the reader's own function is what is graded."""
    for class_seed in (CLASS_SEED, *random.sample(range(10**6), 3)):
        doors = back_pressure.compare_doors(reference, class_seed=class_seed)
        assert doors.yours == doors.reference
        assert doors.reference.share > doors.naive.share + 0.15, class_seed
        assert doors.naive.failed_s is not None
        assert doors.reference.share > 0.85


def test_a_door_that_lets_nobody_in_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It serves nobody, and never fails anybody it let in."""
    back_pressure.show_grade(back_pressure.compare_doors(lambda state: False))
    said = capsys.readouterr().out
    assert "you 0" in said
    assert "No better than no rule. It never failed." in said


@pytest.mark.parametrize("door", [always, reference])
def test_the_doors_answer_whatever_they_are_told(door: object) -> None:
    """On all examples that a reader's function is tried on before it runs."""
    assert callable(door)
    assert all(isinstance(door(state), bool) for state in DOORS)


@pytest.mark.live
async def test_the_same_function_decides_live(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """Never more inside than it says, some refused by it, and the books balance; a mistake is the reader's to see."""

    def admit(state: Door) -> bool:
        return state.depth < 15

    run = await back_pressure.try_live(lesson, admit)
    assert run.ledger.balanced
    assert run.ledger.counts["shed"] > 0
    assert "the books balance" in capsys.readouterr().out
    with pytest.raises(PolicyError, match="must be True or False"):
        await back_pressure.try_live(lesson, lambda state: "yes")  # type: ignore[arg-type, return-value]  # the point


def test_a_promise_is_longer_for_the_last_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty keep half a second on average, and not for 95 of 100; twenty-two do."""
    back_pressure.try_promise(30)
    back_pressure.try_promise(22)
    thirty, fewer = capsys.readouterr().out.splitlines()
    average, most = (float(part.split()[0]) for part in (thirty.split("stays for ")[1], thirty.split("within ")[1]))
    assert average < 0.5 < most
    assert float(fewer.split("within ")[1].split()[0]) <= 0.5


def test_the_sentence_has_band_and_moment() -> None:
    """The four bands, by how much of the way from no rule to the reference was gone."""
    naive, best = Grade(0.4, 3.0), Grade(0.9, None)
    said = [sentence(naive, Grade(share, 4.25), best) for share in (0.9, 0.7, 0.45, 0.4)]
    assert said[0].startswith("naive 40 · you 90 · reference 90 % of the feasible. As good as the reference.")
    assert said[0].endswith("It failed at second 4.2.")
    assert "More than half" in said[1]
    assert "Better than no rule" in said[2]
    assert "No better" in said[3]


def test_a_failure_is_a_row_of_late_answers() -> None:
    """Without a rule it begins soon after the burst does; with a short limit it never comes."""
    scenario = day(7)
    bad = failed_s(simulate(scenario, admit=always, engine="python"))
    assert bad is not None
    assert scenario.load.spike_start_s < bad < scenario.load.spike_start_s + 3
    short = simulate(scenario.replace("admission.limit", 10), admit=always, engine="python")
    assert failed_s(short) is None
    assert grade([short], 60.0).failed_s is None


def test_tapes_of_a_class_are_the_same_for_all_and_differ_between_classes() -> None:
    """Nobody can tune to them before the number is known."""
    assert seeds(1, 3) == seeds(1, 3)
    assert len({*seeds(1, 3), *seeds(2, 3)}) == 6
