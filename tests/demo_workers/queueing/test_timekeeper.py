"""RQ's schedulers in processes of their own: jobs come when they should, and workers that read JSON take them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from demo_workers.errors import LabError
from demo_workers.queueing import letters
from demo_workers.services.children.child import Child
from tests.demo_workers.queueing.place import QUEUE, Place, until

pytestmark = pytest.mark.live


@pytest.fixture
async def keepers(place: Place) -> AsyncIterator[list[Child]]:
    """Timekeepers of a test; they end with it."""
    made: list[Child] = []
    yield made
    for keeper in made:
        await keeper.stop(grace_s=0)


async def keep(place: Place, keepers: list[Child], **config: Any) -> Child:
    """A timekeeper that has said that it is ready."""
    config = {"address": place.address, "queue": QUEUE} | config
    log = place.runtime / f"timekeeper-{len(keepers)}.log"
    keeper = Child("timekeeper", "demo_workers.queueing.timekeeper", config, log)
    keepers.append(keeper)
    await keeper.start()
    return keeper


async def test_a_delayed_job_is_moved_when_its_time_has_come(place: Place, keepers: list[Child]) -> None:
    """Not before, and a worker that reads JSON does it."""
    await place.worker()
    soon = place.stock.enqueue_in(timedelta(seconds=0.2), letters.send, "ada", "hello")
    later = place.stock.enqueue_in(timedelta(seconds=600), letters.send, "bob", "hello")
    await keep(place, keepers, kind="delayed")
    await until(lambda: soon.is_finished)
    assert later.is_scheduled
    assert {line.to for line in letters.read(place.rq, QUEUE)} == {"ada"}


@pytest.mark.parametrize("once", [False, True])
async def test_a_periodic_job_is_done_again_and_again(place: Place, keepers: list[Child], once: bool) -> None:
    """By a worker that reads JSON; with an id of task and period each id is there once."""
    await place.worker()
    for _ in range(2):
        await keep(place, keepers, kind="periodic", interval_s=1, once=once)
    finished = f"rq:finished:{QUEUE}"
    await until(lambda: place.rq.zcard(finished) >= 3)
    ids = [job_id.decode() for job_id in await place.redis.zrange(finished, 0, -1)]
    assert len(ids) == len(set(ids))
    assert all(job_id.startswith(f"{QUEUE}-") == once for job_id in ids)


async def test_an_unknown_kind_is_told(place: Place, keepers: list[Child]) -> None:
    """Name, value, bound, remedy, in its log."""
    with pytest.raises(LabError, match="must be delayed or periodic"):
        await keep(place, keepers, kind="hourly")
