"""What the flow view says."""

from __future__ import annotations

from lessons.show.flow.board import Counts
from lessons.show.flow.stage import BROKER, Stage
from lessons.show.flow.words import Rates, labels, sentence, whole

STAGE = Stage(workers=3, limit=20)
BUSY = Counts(sent=120, retries=30, refused=40, done=70, answered=60, in_queue=17, at_work=3, waiting=14, ghosts=5)


def test_each_station_has_its_number() -> None:
    """From left to right: who waits to try again, 503s, queue, workers, done."""
    heads, ends = labels(BUSY, STAGE)
    assert [number for number, _ in heads] == ["14", "40", "17", "3 of 3", "70"]
    assert heads[2][1] == "waiting, 20 of 20 inside; nobody waits for 5"
    assert ends == ["60 in time"]


def test_the_sentence_says_what_the_canvas_shows() -> None:
    """Places, rates, those who wait, and what a dot is."""
    said = sentence(BUSY, Rates(45.2, 12.1, 9.0, 27.0), STAGE, 2)
    assert said == (
        "Now 17 wait in the queue and 3 of 3 workers are busy; limit 20. Per second: 45 sent, 12 of them again; "
        "9 refused; 27 done. 14 clients wait to try again. Nobody waits any more for 5 of the requests inside. "
        "One dot stands for 2 requests."
    )
    assert "dot" not in sentence(BUSY, Rates(), STAGE, 1)


def test_a_brokers_words_are_its_own() -> None:
    """Published, acknowledged, came back, lost."""
    stage = Stage(workers=2, senders=1, words=BROKER)
    counts = Counts(sent=9, held=9, done=7, twice=1, returned=2, lost=1, in_queue=1, removed=1)
    heads, ends = labels(counts, stage)
    assert heads[0] == ("9", "published")
    assert ends == ["1 done twice", "2 came back", "1 dead-lettered", "1 lost"]
    assert "1 lost" in whole(counts, stage)
    assert whole(Counts(), stage) == "No messages yet."
