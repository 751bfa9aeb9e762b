"""Workers that drop what is not worth doing any more."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from demo_workers.queueing.classes import CLASSES
from demo_workers.queueing.taking import take_key
from tests.demo_workers.queueing.place import QUEUE, RUN, Place, until

pytestmark = pytest.mark.live

both = pytest.mark.parametrize("kind", CLASSES)


async def rule(place: Place, **fields: Any) -> None:
    """Put a rule in force, as the gateway does."""
    await place.redis.set(take_key(QUEUE), json.dumps(fields))


async def expiring(place: Place, request: int, in_s: float) -> None:
    """Say of a job that waits when nobody will want its result any more."""
    await place.redis.hset(f"rq:job:{RUN}-{request}-1", "meta", json.dumps({"expires_at": time.time() + in_s}))


@both
async def test_an_expired_job_is_dropped_and_not_done(place: Place, kind: str) -> None:
    """Its function is not called; RQ has it among the cancelled ones and nowhere else; the others are done."""
    await rule(place, policy="drop_expired")
    for request in range(4):
        await place.post(request)
    await expiring(place, 1, -0.001)
    await expiring(place, 2, 60.0)
    await place.worker(kind)
    await until(lambda: place.told("finished", 3))
    said = [(word.kind, word.job_id) for word in await place.announced()]
    assert ("dropped", f"{RUN}-1-1") in said
    assert len(said) == 7
    assert await place.registry("canceled") == [f"{RUN}-1-1"]
    assert place.job(1).get_status() == "canceled"
    assert 0 < await place.redis.ttl(f"rq:job:{RUN}-1-1") <= 60
    await until(lambda: _all_put_away(place, 3))
    assert await place.held() == (set(), set())


async def _all_put_away(place: Place, jobs: int) -> bool:
    return len(await place.registry("finished")) == jobs


@both
async def test_without_a_rule_everything_is_done(place: Place, kind: str) -> None:
    """As RQ does; the same where the key holds what no gateway wrote, or a job's meta is not ours."""
    await place.post(1)
    await expiring(place, 1, -5)
    await place.worker(kind)
    await until(lambda: place.told("finished", 1))
    for request, nonsense in enumerate(("no JSON", "[]", '{"policy": "all"}', '{"policy": "none such"}'), 2):
        await place.redis.set(take_key(QUEUE), nonsense)
        await place.post(request)
        await place.redis.hset(f"rq:job:{RUN}-{request}-1", "meta", '["expires_at"]')
        await until(lambda request=request: place.told("finished", request))  # type: ignore[misc]
    assert await place.registry("canceled") == []


@both
async def test_a_rule_holds_from_the_next_job_on(place: Place, kind: str) -> None:
    """It is put in force, and lifted, while the worker works: no job after that is treated by the old one."""
    await place.worker(kind)
    for request in range(3):
        await place.post(request, 1.0)  # so that the rule is in force before the first is done
        await expiring(place, request, 0.0)
    await until(lambda: place.told("started", 0))
    await rule(place, policy="drop_expired")
    await until(lambda: place.told("dropped", 2))
    await rule(place, policy="all")
    await place.post(3)
    await expiring(place, 3, -1)
    await until(lambda: place.told("finished", 3))
    assert await place.registry("canceled") == [f"{RUN}-1-1", f"{RUN}-2-1"]


async def test_a_standing_queue_is_shortened(place: Place) -> None:
    """CoDel: nothing is dropped while the delay is below the target; above it for an interval, jobs are, one by one."""
    await rule(place, policy="codel", codel_target_s=0.05, codel_interval_s=0.1)
    await place.worker()
    for request in range(60):
        await place.post(request, 0.02)
    await until(lambda: _settled(place, 60))
    said = sorted(await place.announced(), key=lambda word: word.t_monotonic)
    kinds = [word.kind for word in said]
    assert kinds[:2] == ["started", "finished"]
    assert 3 <= kinds.count("dropped") <= 45
    assert kinds.count("dropped") + kinds.count("finished") == 60
    for request in (61, 62):
        await place.post(request)
        await until(lambda request=request: place.told("finished", request))  # type: ignore[misc]


async def _settled(place: Place, jobs: int) -> bool:
    return sum(word.kind in ("dropped", "finished") for word in await place.announced()) == jobs


async def test_a_worker_killed_while_it_drops_leaves_nothing_half_done(place: Place) -> None:
    """Killed among jobs that are all expired: each one is either cancelled or still whole, in the queue or popped."""
    await rule(place, policy="drop_expired")
    for request in range(400):
        await place.post(request)
        await expiring(place, request, -1)
    worker = await place.worker()
    await until(lambda: place.told("dropped", 20))
    worker.kill()
    await until(lambda: not worker.alive)
    cancelled = set(await place.registry("canceled"))
    popped, running = await place.held()
    assert running == set()
    assert len(popped) <= 1
    assert len(cancelled) + len(popped) + len(place.stock.job_ids) == 400
    told = {word.job_id for word in await place.announced() if word.kind == "dropped"}
    assert told == cancelled
