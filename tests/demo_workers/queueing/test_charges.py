"""A charge is written down each time that it is made."""

from __future__ import annotations

import json

import msgspec
import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.charges import KEPT_S, charge, charge_at, charged, key
from demo_workers.queueing.tasks import decode_args
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until

GOOD = {"account": "ada", "cents": 500}


@pytest.mark.parametrize(
    "wrong",
    [{"account": ""}, {"account": "x" * 41}, {"cents": 0}, {"cents": -5}, {"cents": 1.5}, {"cents": 100_001},
     {"pause_ms": -1}, {"pause_ms": 5001}, {"more": 1}],
)  # fmt: skip
def test_what_is_no_charge_is_refused(wrong: dict[str, object]) -> None:
    """Nobody, nothing, a part of a cent, too much, too slow, and what was never asked for."""
    assert decode_args("charge", GOOD) == GOOD | {"pause_ms": 0.0}
    with pytest.raises(msgspec.ValidationError):
        decode_args("charge", json.dumps(GOOD | wrong).encode())


def test_a_charge_outside_a_job_says_what_to_call() -> None:
    """A web handler has another way in."""
    with pytest.raises(LabError, match="charge_at"):
        charge("ada", 500)


@pytest.mark.live
async def test_two_charges_are_two(place: Place) -> None:
    """Each has its entry, other accounts have theirs, and no list lives for ever."""
    assert charged(place.rq, QUEUE, "ada") == []
    assert [charge_at(place.rq, QUEUE, "ada", 500, 0.0)["charges"] for _ in range(2)] == [1, 2]
    charge_at(place.rq, QUEUE, "bob", 300, 0.0)
    assert charged(place.rq, QUEUE, "ada") == [500, 500]
    assert charged(place.rq, QUEUE, "bob") == [300]
    assert 0 < await place.redis.ttl(key(QUEUE, "ada")) <= KEPT_S


@pytest.mark.live
async def test_a_worker_charges(place: Place) -> None:
    """Once per job, in the Redis and under the queue's name that its job came with."""
    await place.worker()
    await place.queue.enqueue("charge", GOOD | {"pause_ms": 0.0}, job_id=f"{RUN}-1-1", limit=None)
    await until(lambda: place.told("finished", 1), 10)
    assert charged(place.rq, QUEUE, "ada") == [500]
