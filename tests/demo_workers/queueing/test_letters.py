"""Letters can be counted: each beginning, each sending, each text."""

from __future__ import annotations

import pytest

from demo_workers.errors import LabError
from demo_workers.queueing import letters
from tests.demo_workers.queueing.place import QUEUE, Place, until


@pytest.mark.live
async def test_a_letter_leaves_two_lines_and_its_text(place: Place) -> None:
    """Begun, then sent after at least the work asked for; with a mistake it is begun and never sent."""
    await place.worker()
    good = place.stock.enqueue(letters.send, "ada", "hello", 0.1)
    bad = place.stock.enqueue(letters.send, "bob", "hello", 0.0, True)
    await until(lambda: good.is_finished and bad.is_failed)
    lines = letters.read(place.rq, QUEUE)
    assert [(line.what, line.to, line.text) for line in lines] == [
        ("begun", "ada", ""), ("sent", "ada", "hello"), ("begun", "bob", ""),
    ]  # fmt: skip
    assert lines[1].t - lines[0].t >= 0.1
    assert good.return_value() == "hello"
    assert "ValueError: the letter to bob has no address" in str(bad.latest_result().exc_string)
    assert 0 < await place.redis.ttl(letters.letters_key(QUEUE)) <= 600


@pytest.mark.live
async def test_a_stored_text_is_looked_up_when_the_job_runs(place: Place) -> None:
    """What is there then goes out; what has gone fails the job, and the error says so."""
    await place.redis.set(letters.post_key(QUEUE, "here"), "old")
    here = place.stock.enqueue(letters.send_stored, "ada", "here")
    gone = place.stock.enqueue(letters.send_stored, "bob", "gone")
    await place.redis.set(letters.post_key(QUEUE, "here"), "new")
    await place.worker()
    await until(lambda: here.is_finished and gone.is_failed)
    assert [(line.to, line.text) for line in letters.read(place.rq, QUEUE)] == [("ada", "new")]
    assert "It has been deleted" in str(gone.latest_result().exc_string)


def test_a_letter_outside_a_job_says_what_to_do() -> None:
    """It has no queue to write beside."""
    with pytest.raises(LabError, match="Enqueue it"):
        letters.send("ada", "hello")
