"""The witness at Redis: what it has seen it keeps exactly and in little room, and what it has missed it says."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from demo_workers.stack.redis_witness import RedisWitness
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until

pytestmark = pytest.mark.live

KEEP_S = 10.0


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A Redis whose registries the test writes itself."""
    place = Place()
    await place.start()
    yield place
    await place.stop()


def witness(place: Place, keep_s: float = KEEP_S) -> RedisWitness:
    """One that looks at the queue of the place."""
    return RedisWitness(place.address, QUEUE, RUN, time.monotonic(), keep_s)


async def finished(place: Place, first: int, last: int, at_s: int) -> None:
    """RQ has put these requests' jobs away, to be kept until a whole second."""
    await place.redis.zadd(f"rq:finished:{QUEUE}", {f"{RUN}-{n}-1": at_s for n in range(first, last)})


async def test_what_is_met_again_is_kept_once(place: Place) -> None:
    """Jobs stay in a registry for seconds and are seen at every look; other runs' jobs are none of ours."""
    found = witness(place)
    await finished(place, 0, 50, 1000)
    await place.redis.zadd(f"rq:finished:{QUEUE}", {"ffffffff-7-1": 1000})
    found.start()
    await until(lambda: _looks(found, 4))
    await finished(place, 50, 60, 1000)
    await finished(place, 60, 70, 1001)
    await until(lambda: _looks(found, 8))
    await found.stop()
    counts = await found.counts(None, {})
    assert counts.rq_finished == [(n, 1) for n in range(70)]
    assert counts.rq_failed == []


async def _looks(found: RedisWitness, looks: int) -> bool:
    return len((await found.counts(None, {})).samples) >= looks


async def test_a_job_put_away_with_an_earlier_second_is_seen(place: Place) -> None:
    """Two workers at the turn of a second: the later one to write may carry the earlier score."""
    found = witness(place)
    found.start()
    await finished(place, 0, 5, 1001)
    await until(lambda: _looks(found, 3))
    await finished(place, 5, 10, 1000)
    await until(lambda: _looks(found, 6))
    await found.stop()
    assert (await found.counts(None, {})).rq_finished == [(n, 1) for n in range(10)]


async def test_a_witness_that_looked_away_for_too_long_says_so(place: Place) -> None:
    """Longer than RQ keeps a job: it is silent about jobs, and goes on about the queue's length."""
    found = witness(place, keep_s=2.05)
    await finished(place, 0, 5, 1000)
    found.start()
    await until(lambda: _looks(found, 1))
    time.sleep(0.3)  # noqa: ASYNC251  # as a cell does that blocks the kernel's loop
    await until(lambda: _looks(found, 3))
    await found.stop()
    counts = await found.counts({"admitted": 5}, {})
    assert counts.rq_finished is counts.rq_failed is counts.rq_canceled is None
    assert counts.script == {"admitted": 5}
    assert len(counts.samples) >= 3


async def test_it_takes_little_room(place: Place) -> None:
    """Ten thousand jobs more cost it some bytes each, not the two hundred of a tuple in a set."""
    found = witness(place)
    found.start()
    await until(lambda: _looks(found, 2))
    tracemalloc.start()
    for second in range(5):
        await place.redis.delete(f"rq:finished:{QUEUE}")
        looks = len((await found.counts(None, {})).samples)
        await finished(place, second * 2000, (second + 1) * 2000, 1000 + second * 5)
        await until(lambda looks=looks: _looks(found, looks + 2))  # type: ignore[misc]
    await place.redis.delete(f"rq:finished:{QUEUE}")
    await place.redis.zadd(f"rq:finished:{QUEUE}", {f"{RUN}-10000-1": 1100})
    looks = len((await found.counts(None, {})).samples)
    await until(lambda: _looks(found, looks + 2))
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    await found.stop()
    assert len((await found.counts(None, {})).rq_finished or []) == 10_001
    assert grown < 10_000 * 60
