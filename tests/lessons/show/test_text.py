"""The sentences."""

from __future__ import annotations

from lessons.show import subject, text
from lessons.show.series import Series, Totals
from tests.lessons.show.event_source import play
from tests.lessons.show.scenes import BURST, LIMITED, RETRYING, folded


def test_the_sentence_has_the_numbers_of_the_picture() -> None:
    """All that came and all that became of them, in words."""
    series = folded(LIMITED)
    n = series.totals()
    said = text.summary(series, noun="posts")
    assert said.startswith(
        f"{n.requests:,} posts came; {n.in_time:,} were answered in time, 0 late, {n.refused} refused."
    )
    assert said.endswith("At most 20 were inside.")
    assert "attempts" in text.summary(folded(RETRYING))
    assert text.summary(Series(), noun="posts") == "No posts yet."


def test_the_title_is_the_finding() -> None:
    """Computed from the run: refusals that paid, refusals that did not, lateness that outlived its burst."""
    before = folded(BURST).totals()
    after = folded(LIMITED).totals()
    gain = after.in_time - before.in_time
    assert text.comparison(before, after, noun="posts") == f"Refusing {after.refused} posts served {gain} more in time"
    assert (
        text.comparison(Totals(9, in_time=9), Totals(9, in_time=7, refused=2))
        == "Refusing 2 requests served 2 fewer in time"
    )
    bands = subject.bands(BURST.load)
    late = text.finding(folded(BURST), noun="posts", bands=bands, patience_s=1.0)
    assert late.startswith("3 s of burst, and posts were late for ")
    assert "were answered in time" in text.finding(folded(LIMITED), bands=bands, patience_s=1.0)


def test_runs_are_called_by_what_tells_them_apart() -> None:
    """The first knob that differs names both."""
    assert text.names(BURST, LIMITED) == ("no limit", "limit 20")
    assert text.names(LIMITED, LIMITED.steered(attempts=4)) == ("no retries", "4 tries")
    assert text.names(BURST, BURST) == ("first run", "this run")


def test_facts_have_no_numbers() -> None:
    """What a stored notebook compares is true or false."""
    assert text.facts(folded(LIMITED)) == {
        "answers came in time": True,
        "some were late": False,
        "503s seen": True,
        "retries seen": False,
        "never above the limit": True,
    }
    assert text.facts(folded(BURST))["some were late"]


def test_turned_knobs_are_named_briefly() -> None:
    """Symbol and value, also for none and for knobs without a symbol."""
    labels = [m.label for m in subject.marks(play(BURST).steering)]
    assert labels == []
    assert text.mark(1.0, "arrival_rate", 60.0).label == "λ 60"
    assert text.mark(1.0, "limit", None).label == "K none"
    assert text.mark(1.0, "admission_policy", "custom+fifo+all").label == "queue custom"
    assert text.mark(1.0, "admission_policy", "fifo").label == "queue fifo"
    assert text.mark(1.0, "after_timeout", "at_once").label == "after timeout at_once"


def test_the_knob_turned_last_is_said_with_its_time() -> None:
    """A reader's policy turns two at once and both are said; a dragged slider only where it has come to."""
    assert text.turned([]) == ""
    turned = [("arrival_rate", 60.0), ("limit", 8), ("limit", 9), ("next_try", "patient"), ("retry_policy", "custom")]
    times = [1.0, 3.0, 3.1, 7.0, 7.01]
    marks = [text.mark(t, *knob) for t, knob in zip(times, turned, strict=True)]
    assert text.turned(marks[:1]) == "Turned at 1.0 s: λ 60."
    assert text.turned(marks[:3]) == "Turned at 3.1 s: K 9."
    assert text.turned(marks) == "Turned at 7.0 s: your patient, retry custom."
